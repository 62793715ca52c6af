package interceptor

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/lane"
)

// other is the service and the method of calls whose name gets no entry of its own.
const other = "other"

// maxName is the longest dynamic name that gets an entry of its own. Names come from strangers.
const maxName = 256

// side is one side of a Recorder: server or client.
type side struct {
	client bool
	config *Config
	mask   uint32
	// table is replaced as a whole, under mu, and read by every call.
	table atomic.Pointer[table]
	mu    sync.Mutex
}

// table maps names to methods. It never changes.
type table struct {
	byName map[string]*method
	// all methods, sorted: those in byName, those that a later Register shut out, and the two for other names.
	all []*method
	// dynamic counts the methods that were made by a call.
	dynamic int
	// closed tables take no dynamic names.
	closed      bool
	otherUnary  *method
	otherStream *method
}

func newSide(config *Config, client bool) *side {
	s := &side{client: client, config: config, mask: uint32(lane.Count() - 1)}
	unary := s.newMethod(other, other, interceptors.Unary, false)
	stream := s.newMethod(other, other, interceptors.BidiStream, false)
	unary.hidden, stream.hidden = true, true
	s.publish(&table{
		byName: map[string]*method{}, all: []*method{unary, stream}, otherUnary: unary, otherStream: stream,
	})
	return s
}

func (s *side) newMethod(service, name string, typ interceptors.GRPCType, registered bool) *method {
	m := &method{service: service, name: name, typ: typ, registered: registered}
	m.window.slot = s.config.Slot
	m.window.marks = make([]*mark, s.config.Window/s.config.Slot)
	return m
}

// lookup returns the method to count a call under, nil if calls to it are not counted. Handled says that the server
// has a handler for exactly this name.
func (s *side) lookup(fullMethod string, typ interceptors.GRPCType, handled bool) *method {
	t := s.table.Load()
	if m := t.byName[fullMethod]; m != nil {
		return m
	}
	return s.unknown(t, fullMethod, typ, handled)
}

// unknown is lookup for a name that is not in t.
func (s *side) unknown(t *table, fullMethod string, typ interceptors.GRPCType, handled bool) *method {
	service, _, ok := splitName(fullMethod)
	if ok && s.config.Skip == nil && isInfrastructure(service) {
		return nil
	}
	if t.closed || t.dynamic >= s.config.MaxMethods || !ok || !presentable(fullMethod) {
		return t.other(typ)
	}
	return s.learn(fullMethod, typ, handled && !s.client)
}

func (t *table) other(typ interceptors.GRPCType) *method {
	if typ == interceptors.Unary {
		return t.otherUnary
	}
	return t.otherStream
}

// presentable reports whether a stranger's name is fit to be kept and shown.
func presentable(fullMethod string) bool {
	if len(fullMethod) > maxName {
		return false
	}
	for i := range len(fullMethod) {
		if fullMethod[i] <= ' ' || fullMethod[i] > '~' {
			return false
		}
	}
	return true
}

// learn makes an entry for a dynamic name.
func (s *side) learn(fullMethod string, typ interceptors.GRPCType, registered bool) *method {
	m, full := s.insert(strings.Clone(fullMethod), typ, registered)
	if full {
		s.config.Logger.LogAttrs(context.Background(), slog.LevelWarn,
			"too many gRPC method names, further ones are counted together",
			slog.Int("max_methods", s.config.MaxMethods), slog.Bool("client", s.client))
	}
	return m
}

func (s *side) insert(fullMethod string, typ interceptors.GRPCType, registered bool) (m *method, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.Load()
	if m := old.byName[fullMethod]; m != nil {
		return m, false
	}
	if old.closed || old.dynamic >= s.config.MaxMethods {
		return old.other(typ), false
	}
	t := old.grow(1)
	service, name, _ := splitName(fullMethod)
	if m = old.row(service, name, typ); m == nil {
		m = s.newMethod(service, name, typ, registered)
		t.all = append(t.all, m)
	}
	t.byName[fullMethod] = m
	t.dynamic++
	s.publish(t)
	return m, t.dynamic == s.config.MaxMethods
}

// grow returns a copy of t with room for n more methods.
func (t *table) grow(n int) *table {
	grown := *t
	grown.byName = make(map[string]*method, len(t.byName)+n)
	maps.Copy(grown.byName, t.byName)
	grown.all = append(make([]*method, 0, len(t.all)+n), t.all...)
	return &grown
}

// row returns the method of these names, nil if there is none. There must not be two: they would be the same series of
// an exporter twice.
func (t *table) row(service, name string, typ interceptors.GRPCType) *method {
	i, found := slices.BinarySearchFunc(t.all, name, func(m *method, name string) int { return m.compare(service, name, typ) })
	if !found {
		return nil
	}
	return t.all[i]
}

// compare orders methods by their names.
func (m *method) compare(service, name string, typ interceptors.GRPCType) int {
	return cmp.Or(cmp.Compare(m.service, service), cmp.Compare(m.name, name), cmp.Compare(m.typ, typ))
}

// register enters all methods of a server and closes the table. Dynamic names that are not among them keep what was
// counted, and count no more until a later server has them.
func (s *side) register(services map[string]grpc.ServiceInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.Load()
	t := old.grow(0)
	if !old.closed {
		clear(t.byName)
	}
	t.closed = true
	for service, info := range services {
		hidden := isInfrastructure(service)
		if hidden && s.config.Skip == nil {
			continue
		}
		for _, described := range info.Methods {
			typ := typeOf(described.IsClientStream, described.IsServerStream)
			m := old.row(service, described.Name, typ)
			if m == nil {
				m = s.newMethod(service, described.Name, typ, true)
				m.hidden = hidden
				t.all = append(t.all, m)
			}
			t.byName["/"+service+"/"+described.Name] = m
		}
	}
	s.publish(t)
}

// publish sorts t and makes it the table. The caller holds mu.
func (s *side) publish(t *table) {
	slices.SortFunc(t.all, func(a, b *method) int { return a.compare(b.service, b.name, b.typ) })
	s.table.Store(t)
}

func typeOf(clientStream, serverStream bool) interceptors.GRPCType {
	switch {
	case clientStream && serverStream:
		return interceptors.BidiStream
	case clientStream:
		return interceptors.ClientStream
	case serverStream:
		return interceptors.ServerStream
	default:
		return interceptors.Unary
	}
}
