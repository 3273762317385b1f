package wire

// Hello is the body of HELLO and of HELLO-ACK.
type Hello struct {
	// Nonce is the challenge, to be answered by an ACK that echoes it; 0 in an
	// ACK whose sender already believes the receiver.
	Nonce uint64
	// Echo is the challenge that is answered; 0 in a HELLO.
	Echo uint64
}

// Append adds h to a body.
func (h Hello) Append(dst []byte) []byte {
	dst, at := open(dst, tlvHello)
	dst = be.AppendUint64(dst, h.Nonce)
	dst = be.AppendUint64(dst, h.Echo)
	return closed(dst, at)
}

// DecodeHello reads what Append wrote.
func DecodeHello(body []byte) (h Hello, ok bool) {
	there := false
	ok = values(body, func(kind byte, v []byte) bool {
		if kind != tlvHello {
			return true
		}
		if len(v) < 16 || there {
			return false
		}
		h, there = Hello{Nonce: be.Uint64(v), Echo: be.Uint64(v[8:])}, true
		return true
	})
	return h, ok && there
}
