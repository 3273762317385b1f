# Verbs; what they do lies in scripts/ and in the programs themselves.
CONFIG ?= /etc/mon/mon.cf
GO     ?= go

.PHONY: build demo run test race soak fuzz lint bench lab clean

build: ## bin/mond, bin/monctl, bin/fake, bin/plugins/NAME.monitor, bin/plugins/NAME.alert
	@scripts/build

demo: build ## the main job on loopback: no root, no network, under a minute
	@bin/mond-demo etc/demo.cf

run: build ## the daemon for real: make run CONFIG=/etc/mon/mon.cf
	@bin/mond -c $(CONFIG)

test: ## everything, on real parts and a real IPVS kernel; installs what it needs
	@scripts/test

soak: ## what takes longer than CI may
	@scripts/soak

fuzz: ## a minute for each fuzz target
	@scripts/fuzz 60s

bench: build ## figures beside Debian's mon, one table at the end
	@scripts/bench

lab: build ## a shell in a real IPVS kernel: director, two real servers, client
	@scripts/lab shell

clean:
	@rm -rf bin
