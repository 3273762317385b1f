// Package pb is the generated form of plugin.proto, the messages between mond
// and a resident plugin. It holds no code of its own: plugins/rpc converts
// between it and the contracts, and nobody else should import it.
package pb

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --plugin=protoc-gen-go-grpc=$(go tool -n protoc-gen-go-grpc) --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative plugin.proto"
