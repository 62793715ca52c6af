package kubernetes

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/internal/target"
)

// commandTimeout is the time after which the healthcheck command fails by itself: 1 s to connect, 1 s for the response.
const commandTimeout = 2 * time.Second

// grpcTLSRequires is what gRPC probes with TLS need. Other clusters drop the mode and probe in plaintext.
const grpcTLSRequires = "Kubernetes 1.37 with the feature gate GRPCContainerProbeTLS"

// command returns the command of a probe.
func (c Config) command(name string) []string {
	command := slices.Clone(c.Command)
	switch {
	case c.overHTTP():
		return append(command, "-http", c.Address+probePath(name))
	case !c.readsFile():
		return append(command, "-addr", c.Address, "-service", name)
	case name == checker.Readiness:
		return append(command, "-file", c.Address, "-for", "ready")
	default:
		// The file has no state for startup. Live is enough: a dependency that is down must not restart the container.
		return append(command, "-file", c.Address, "-for", "live")
	}
}

func (c Config) overHTTP() bool {
	return strings.HasPrefix(c.Address, "http://") || strings.HasPrefix(c.Address, "https://")
}

func (c Config) readsFile() bool { return path.IsAbs(c.Address) }

// endpoint validates how the kubelet reaches the program.
func (c Config) endpoint(errs *conflicts) {
	given := 0
	for _, is := range []bool{c.GRPCPort != 0, c.HTTPPort != 0, len(c.Command) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		errs.add("Config", "got %d of GRPCPort, HTTPPort and Command, want exactly one", given)
	}
	errs.port("GRPCPort", c.GRPCPort)
	errs.port("HTTPPort", c.HTTPPort)
	if c.HTTPS && c.HTTPPort == 0 {
		errs.add("HTTPS", "requires HTTPPort; for a gRPC port with TLS see GRPCTLS")
	}
	if c.GRPCTLS && !c.GRPCContainerProbeTLS {
		errs.add("GRPCTLS", "gRPC probes do not support TLS, except in %s: set GRPCContainerProbeTLS, open a plaintext port for them "+
			"(PLUGIN_HEALTH_GRPC_ADDR, PLUGIN_HEALTH_GRPC_PLAINTEXT), or use a Command with the flag -tls", grpcTLSRequires)
	}
	if c.GRPCTLS && c.GRPCPort == 0 {
		errs.add("GRPCTLS", "requires GRPCPort")
	}
	if c.FileInterval != 0 && !c.readsFile() {
		errs.add("FileInterval", "requires the path of a file as Address")
	}
	if len(c.Command) == 0 {
		if c.Address != "" {
			errs.add("Command", "is required for Address, such as /server healthcheck")
		}
		return
	}
	c.address(errs)
	c.flags(errs)
}

func (errs *conflicts) port(field string, port int) {
	if port < 0 || port > 65535 {
		errs.add(field, "got %d, want 1 to 65535", port)
	}
}

func (c Config) address(errs *conflicts) {
	switch {
	case c.overHTTP():
		u, err := url.Parse(c.Address)
		if err != nil || u.Host == "" || u.String() != u.Scheme+"://"+u.Host {
			errs.add("Address", "got %q, want http://host:port without a path", c.Address)
		}
	case c.readsFile():
		if strings.Contains(c.Address, "{pid}") {
			errs.add("Address", "got %q, want the path of a file without a process ID", c.Address)
		}
		if c.FileInterval <= 0 {
			errs.add("FileInterval", "got %v, want how often the program writes the file (PLUGIN_HEALTH_CHECK_INTERVAL)", c.FileInterval)
		}
		errs.bounded("FileInterval", c.FileInterval)
	default:
		if _, _, err := target.Parse(c.Address); err != nil {
			errs.add("Address", "got %q, want host:port, unix:///path, http://host:port or an absolute path", c.Address)
		}
	}
}

// flags rejects flags that differ by probe, and timeouts that end before the command's own.
func (c Config) flags(errs *conflicts) {
	slow := !c.readsFile()
	for _, flag := range c.Command[1:] {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if strings.HasPrefix(flag, "-") && slices.Contains([]string{"addr", "http", "file", "service", "for"}, name) {
			errs.add("Command", "has the flag %s, which is added for each probe", flag)
		}
		if strings.Contains(flag, "-connect-timeout") || strings.Contains(flag, "-rpc-timeout") {
			slow = false
		}
	}
	for name, t := range c.timings() {
		if slow && t.Timeout >= time.Second && t.Timeout <= commandTimeout {
			errs.add(name+".Timeout", "got %v, want more than the %v after which the command fails and prints the reason, or shorter "+
				"-connect-timeout and -rpc-timeout in Command", t.Timeout, commandTimeout)
		}
	}
}
