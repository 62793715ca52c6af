package kubernetes

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// door judges how the kubelet reaches the program.
func (c Config) door(m *contradictions) {
	ways := 0
	for _, given := range []bool{c.GRPCPort != 0, c.HTTPPort != 0, c.Exec != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		m.add("Config", "needs exactly one of GRPCPort, HTTPPort and Exec, not %d", ways)
	}
	m.port("GRPCPort", c.GRPCPort)
	m.port("HTTPPort", c.HTTPPort)
	if c.HTTPS && c.HTTPPort == 0 {
		m.add("HTTPS", "needs HTTPPort: the kubelet's gRPC probe speaks no TLS; give it a plaintext port for health alone "+
			"(PLUGIN_HEALTH_GRPC_ADDR) or use Exec with the flag -tls")
	}
	if c.Exec != nil {
		c.Exec.check(m)
		c.patience(m)
	}
}

func (m *contradictions) port(field string, port int) {
	if port < 0 || port > 65535 {
		m.add(field, "is %d: want 1 to 65535", port)
	}
}

func (e *Exec) check(m *contradictions) {
	if len(e.Command) == 0 || e.Command[0] == "" {
		m.add("Exec.Command", "is required, such as /server healthcheck")
	}
	ways := 0
	for _, way := range []string{e.Addr, e.URL, e.File} {
		if way != "" {
			ways++
		}
	}
	if ways != 1 {
		m.add("Exec", "needs exactly one of Addr, URL and File, not %d", ways)
	}
	if e.Addr != "" && !strings.Contains(e.Addr, ":/") && !strings.HasPrefix(e.Addr, "unix") {
		if _, _, err := net.SplitHostPort(e.Addr); err != nil {
			m.add("Exec.Addr", "is %q: want host:port or unix:///path", e.Addr)
		}
	}
	if e.URL != "" {
		u, err := url.Parse(e.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.String() != u.Scheme+"://"+u.Host {
			m.add("Exec.URL", "is %q: want http://host:port without a path, since every probe has its own", e.URL)
		}
	}
	e.file(m)
	e.flags(m)
}

func (e *Exec) file(m *contradictions) {
	switch {
	case e.File == "" && e.FileInterval != 0:
		m.add("Exec.FileInterval", "needs File")
	case e.File == "":
	case !path.IsAbs(e.File):
		m.add("Exec.File", "is %q: want an absolute path", e.File)
	case strings.Contains(e.File, "{pid}"):
		m.add("Exec.File", "is %q: a manifest does not know the number of the process", e.File)
	}
	if e.File != "" && e.FileInterval <= 0 {
		m.add("Exec.FileInterval", "is %v: say how often the program writes the file (PLUGIN_HEALTH_CHECK_INTERVAL)", e.FileInterval)
	}
	m.bounded("Exec.FileInterval", e.FileInterval)
}

// flags refuses those that are set here.
func (e *Exec) flags(m *contradictions) {
	for _, flag := range e.words() {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if strings.HasPrefix(flag, "-") && slices.Contains([]string{"addr", "http", "file", "service", "for"}, name) {
			m.add("Exec.Flags", "holds %s, which is different for every probe and added to them", flag)
		}
	}
}

// words are those after the program.
func (e *Exec) words() []string { return slices.Concat(e.Command[min(1, len(e.Command)):], e.Flags) }

// patience makes sure that the command tells why it fails before the kubelet kills it.
func (c Config) patience(m *contradictions) {
	if c.Exec.File != "" || slices.ContainsFunc(c.Exec.words(), func(flag string) bool {
		return strings.Contains(flag, "-connect-timeout") || strings.Contains(flag, "-rpc-timeout")
	}) {
		return
	}
	for name, t := range c.timings() {
		if t.Timeout >= time.Second && t.Timeout <= commandPatience {
			m.add(name+".Timeout", "is %v, but the command waits %v before it gives up and says why: allow more, or shorten "+
				"-connect-timeout and -rpc-timeout in Exec.Flags", t.Timeout, commandPatience)
		}
	}
}
