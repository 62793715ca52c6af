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
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/stripe"
)

// other is the service and name of the methods that count names without an entry.
const other = "other"

// maxName is the length of the longest name that gets an entry because a caller used it.
const maxName = 256

// side is one side of a Recorder: server or client.
type side struct {
	client    bool
	config    *Config
	log       logger
	slotWidth time.Duration
	mask      uint32 // of stripes
	// table is replaced as a whole, under mu, and read by every call.
	table atomic.Pointer[table]
	mu    sync.Mutex
}

// table maps names to methods. It does not change.
type table struct {
	// calls have the full method as key, operations operationKey.
	calls, operations names
	// all methods, sorted: those in the names, those that Register has removed from them, and those for other names.
	all                                     []*method
	otherUnary, otherStream, otherOperation *method
}

// names are those of calls or of operations.
type names struct {
	byKey map[string]*method
	// dynamic counts the entries that were made by a call.
	dynamic int
	// registered says that calls make no entries.
	registered bool
}

func newSide(cfg *Config, log logger, client bool) *side {
	s := &side{
		client: client, config: cfg, log: log, mask: uint32(stripe.Count() - 1),
		slotWidth: (cfg.Window + windowSlots - 1) / windowSlots,
	}
	hidden := func(typ CallType) *method {
		m := s.newMethod(other, other, typ, typ == Other)
		m.hidden = true
		return m
	}
	t := &table{otherUnary: hidden(Unary), otherStream: hidden(BidiStream), otherOperation: hidden(Other)}
	t.calls.byKey, t.operations.byKey = map[string]*method{}, map[string]*method{}
	t.all = []*method{t.otherUnary, t.otherStream, t.otherOperation}
	s.publish(t)
	return s
}

func (s *side) newMethod(service, name string, typ CallType, registered bool) *method {
	return &method{service: service, name: name, typ: typ, registered: registered, window: window{width: s.slotWidth}}
}

// lookup returns the method that counts a call, nil if the call is not counted. Handled says that the server has a
// handler of this name.
func (s *side) lookup(fullMethod string, typ CallType, handled bool) *method {
	t := s.table.Load()
	if m := t.calls.byKey[fullMethod]; m != nil {
		return m
	}
	return s.lookupUnknown(t, fullMethod, typ, handled)
}

func (s *side) lookupUnknown(t *table, fullMethod string, typ CallType, handled bool) *method {
	service, name, ok := splitName(fullMethod)
	if ok && s.config.Skip == nil && isInfrastructure(service) {
		return nil
	}
	if !ok || !s.open(&t.calls) || len(fullMethod) > maxName || !printable(fullMethod) {
		_, m := t.of(typ)
		return m
	}
	return s.insert(fullMethod, service, name, typ, handled && !s.client)
}

// lookupOperation returns the method that counts an operation.
func (s *side) lookupOperation(service, name string) *method {
	t := s.table.Load()
	if service == "" || name == "" || len(service)+len(name) > maxName {
		return t.otherOperation
	}
	var buffer [maxName + 1]byte
	key := operationKey(buffer[:0], service, name)
	if m := t.operations.byKey[string(key)]; m != nil {
		return m
	}
	if !s.open(&t.operations) || !printable(service) || !printable(name) {
		return t.otherOperation
	}
	return s.insert(string(key), service, name, Other, true)
}

// operationKey appends the key of an operation to buffer.
func operationKey(buffer []byte, service, name string) []byte {
	return append(append(append(buffer, service...), 0), name...) // 0 is not printable
}

func printable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// open reports whether a call may make an entry in n.
func (s *side) open(n *names) bool { return !n.registered && n.dynamic < s.config.MaxMethods }

// of returns the names of methods of typ, and the method for further names.
func (t *table) of(typ CallType) (*names, *method) {
	switch typ {
	case Unary:
		return &t.calls, t.otherUnary
	case Other:
		return &t.operations, t.otherOperation
	default:
		return &t.calls, t.otherStream
	}
}

// insert makes an entry for a name that a call has used.
func (s *side) insert(key, service, name string, typ CallType, registered bool) *method {
	s.mu.Lock()
	old := s.table.Load()
	t := old.clone(typ)
	n, m := t.of(typ)
	switch {
	case n.byKey[key] != nil:
		m = n.byKey[key]
	case s.open(n):
		made := s.newMethod(strings.Clone(service), strings.Clone(name), typ, registered)
		m = t.enter(n, strings.Clone(key), old.find(made), made)
		n.dynamic++
		s.publish(t)
		if n.dynamic == s.config.MaxMethods {
			defer s.log.log(context.Background(), slog.LevelWarn, "too many method names, further ones count as other",
				func() []slog.Attr {
					return []slog.Attr{slog.Int("max_methods", s.config.MaxMethods), slog.Bool("client", s.client)}
				})
		}
	}
	s.mu.Unlock()
	return m
}

// register enters the methods of a server.
func (s *side) register(services map[string]grpc.ServiceInfo) {
	methods := map[string]*method{}
	for service, info := range services {
		hidden := isInfrastructure(service)
		if hidden && s.config.Skip == nil {
			continue
		}
		for _, described := range info.Methods {
			m := s.newMethod(service, described.Name, callType(described.IsClientStream, described.IsServerStream), true)
			m.hidden = hidden
			methods["/"+service+"/"+m.name] = m
		}
	}
	s.replace(Unary, methods)
}

// registerOperations enters the operations of a service.
func (s *side) registerOperations(service string, names []string) {
	methods := map[string]*method{}
	for _, name := range names {
		methods[string(operationKey(nil, service, name))] = s.newMethod(service, name, Other, true)
	}
	s.replace(Other, methods)
}

// replace enters methods by key. Entries that calls have made keep their counters but count no further calls, unless
// they are among them.
func (s *side) replace(typ CallType, methods map[string]*method) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.Load()
	t := old.clone(typ)
	n, _ := t.of(typ)
	if !n.registered {
		clear(n.byKey)
	}
	n.registered = true
	for key, m := range methods {
		t.enter(n, key, old.find(m), m)
	}
	s.publish(t)
}

// enter makes an entry for found, or else for m.
func (t *table) enter(n *names, key string, found, m *method) *method {
	if found == nil {
		t.all = append(t.all, m)
		found = m
	}
	n.byKey[key] = found
	return found
}

// find returns the method with the names and the type of m, nil if there is none. Two would be the same series twice.
func (t *table) find(m *method) *method {
	i, found := slices.BinarySearchFunc(t.all, m, (*method).compare)
	if !found {
		return nil
	}
	return t.all[i]
}

// clone returns a copy of t to which methods of typ may be added.
func (t *table) clone(typ CallType) *table {
	c := *t
	n, _ := c.of(typ)
	n.byKey = maps.Clone(n.byKey)
	c.all = slices.Clone(t.all)
	return &c
}

// publish sorts t and makes it the table. The caller holds mu.
func (s *side) publish(t *table) {
	slices.SortFunc(t.all, (*method).compare)
	s.table.Store(t)
}

// order puts Other last, so that the types of a gRPC method are neighbors.
func (t CallType) order() string {
	if t == Other {
		return "~"
	}
	return string(t)
}

// compare orders methods by service and name, and operations after calls.
func (m *method) compare(other *method) int {
	return cmp.Or(cmp.Compare(m.service, other.service), cmp.Compare(m.name, other.name),
		cmp.Compare(m.typ.order(), other.typ.order()))
}

func callType(clientStream, serverStream bool) CallType {
	switch {
	case clientStream && serverStream:
		return BidiStream
	case clientStream:
		return ClientStream
	case serverStream:
		return ServerStream
	default:
		return Unary
	}
}
