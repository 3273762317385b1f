package ipvs

// OpenRaw opens the kernel's table as if moby/ipvs could not be trusted.
func OpenRaw() (*Kernel, error) {
	k, err := OpenKernel()
	if err == nil && k.handle != nil {
		k.handle.Close()
		k.handle = nil
	}
	return k, err
}
