package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a certificate and its key, read again when one of the files
// changes. A change that cannot be used is logged, and the old one stays.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed [2]time.Time // of the files as they were last read, usable or not
}

// openCertificate reads it for the first time.
func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log, changed: [2]time.Time{changedAt(cert), changedAt(key)}}
	return c, c.load()
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read the certificate of tlsport: %w; tlscert and tlskey name PEM files that mond may read", err)
	}
	c.loaded = &pair
	return nil
}

// get is for tls.Config.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := [2]time.Time{changedAt(c.cert), changedAt(c.key)}; now != c.changed {
		c.changed = now
		if err := c.load(); err != nil {
			c.log.Error("the old certificate stays", "err", err)
		}
	}
	return c.loaded, nil
}

// config is how connections are made.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// changedAt is when a file was changed, the zero time where there is none.
func changedAt(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
