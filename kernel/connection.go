package kernel

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// connection is the content of a connection file, which a client writes before
// it starts a kernel.
type connection struct {
	Transport       string `json:"transport"`
	IP              string `json:"ip"`
	ShellPort       int    `json:"shell_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	ControlPort     int    `json:"control_port"`
	HBPort          int    `json:"hb_port"`
	Key             string `json:"key"`
	SignatureScheme string `json:"signature_scheme"`
}

func readConnection(path string) (connection, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return connection{}, hinted(fmt.Errorf("read connection file: %w", err),
			"a Jupyter client writes this file; start the kernel from one, such as jupyter lab")
	}
	c := connection{Transport: "tcp", IP: "127.0.0.1"}
	if err := json.Unmarshal(data, &c); err != nil {
		return connection{}, fmt.Errorf("read connection file %s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return connection{}, fmt.Errorf("read connection file %s: %w", path, err)
	}
	return c, nil
}

func (c connection) check() error {
	if c.Transport != "tcp" && c.Transport != "ipc" {
		return fmt.Errorf("transport %q is not tcp or ipc", c.Transport)
	}
	ports := []struct {
		key  string
		port int
	}{
		{"shell_port", c.ShellPort},
		{"iopub_port", c.IOPubPort},
		{"stdin_port", c.StdinPort},
		{"control_port", c.ControlPort},
		{"hb_port", c.HBPort},
	}
	for _, p := range ports {
		if p.port < 1 || p.port > 65535 {
			return fmt.Errorf("%s is %d, not a port from 1 to 65535", p.key, p.port)
		}
	}
	return nil
}

// endpoint names one channel; over ipc, ports only number the socket files.
func (c connection) endpoint(port int) string {
	if c.Transport == "ipc" {
		return "ipc://" + c.IP + "-" + strconv.Itoa(port)
	}
	return "tcp://" + net.JoinHostPort(c.IP, strconv.Itoa(port))
}
