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

// other is the service and the method of calls whose name gets no entry of its own.
const other = "other"

// maxName is the longest dynamic name that gets an entry of its own. Names come from strangers.
const maxName = 256

// side is one side of a Recorder: server or client.
type side struct {
	client bool
	config *Config
	log    logger
	slot   time.Duration
	mask   uint32
	// table is replaced as a whole, under mu, and read by every call.
	table atomic.Pointer[table]
	mu    sync.Mutex
}

// table maps names to methods. It never changes.
type table struct {
	// calls are found by their full method, operations by operationKey.
	calls, operations names
	// all methods, sorted: those in the names, those that a later Register shut out, and those for other names.
	all                                     []*method
	otherUnary, otherStream, otherOperation *method
}

// names are those of calls or of operations.
type names struct {
	byName map[string]*method
	// dynamic counts the methods that were made by a call.
	dynamic int
	// closed names take no dynamic ones.
	closed bool
}

// of returns the names that those of typ belong to.
func (t *table) of(typ CallType) *names {
	if typ == Other {
		return &t.operations
	}
	return &t.calls
}

func newSide(config *Config, log logger, client bool) *side {
	slot := (config.Window + windowSlots - 1) / windowSlots
	s := &side{client: client, config: config, log: log, slot: slot, mask: uint32(stripe.Count() - 1)}
	hidden := func(typ CallType) *method {
		m := s.newMethod(other, other, typ, typ == Other)
		m.hidden = true
		return m
	}
	t := &table{otherUnary: hidden(Unary), otherStream: hidden(BidiStream), otherOperation: hidden(Other)}
	t.calls.byName, t.operations.byName = map[string]*method{}, map[string]*method{}
	t.all = []*method{t.otherUnary, t.otherStream, t.otherOperation}
	s.publish(t)
	return s
}

func (s *side) newMethod(service, name string, typ CallType, registered bool) *method {
	m := &method{service: service, name: name, typ: typ, registered: registered}
	m.window.slot = s.slot
	return m
}

// lookup returns the method to count a call under, nil if calls to it are not counted. Handled says that the server
// has a handler for exactly this name.
func (s *side) lookup(fullMethod string, typ CallType, handled bool) *method {
	t := s.table.Load()
	if m := t.calls.byName[fullMethod]; m != nil {
		return m
	}
	return s.unknown(t, fullMethod, typ, handled)
}

// unknown is lookup for a name that is not in t.
func (s *side) unknown(t *table, fullMethod string, typ CallType, handled bool) *method {
	service, name, ok := splitName(fullMethod)
	if ok && s.config.Skip == nil && isInfrastructure(service) {
		return nil
	}
	if !ok || !s.open(&t.calls) || !presentable(fullMethod) {
		return t.other(typ)
	}
	return s.learn(fullMethod, service, name, typ, handled && !s.client)
}

// lookupOperation returns the method to count an operation under.
func (s *side) lookupOperation(service, name string) *method {
	t := s.table.Load()
	if service == "" || name == "" || len(service)+len(name) > maxName {
		return t.otherOperation
	}
	var buffer [maxName + 1]byte
	key := appendOperationKey(buffer[:0], service, name)
	if m := t.operations.byName[string(key)]; m != nil {
		return m
	}
	if !s.open(&t.operations) || !printable(service) || !printable(name) {
		return t.otherOperation
	}
	return s.learn(string(key), service, name, Other, true)
}

// appendOperationKey appends the key of an operation, whose names do not contain the separator.
func appendOperationKey(key []byte, service, name string) []byte {
	return append(append(append(key, service...), 0), name...)
}

// open reports whether n takes one more dynamic name.
func (s *side) open(n *names) bool { return !n.closed && n.dynamic < s.config.MaxMethods }

func (t *table) other(typ CallType) *method {
	switch typ {
	case Unary:
		return t.otherUnary
	case Other:
		return t.otherOperation
	default:
		return t.otherStream
	}
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

// printable reports whether a name of an operation is fit to be kept and shown.
func printable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// learn makes an entry for a dynamic name.
func (s *side) learn(key, service, name string, typ CallType, registered bool) *method {
	m, full := s.insert(strings.Clone(key), strings.Clone(service), strings.Clone(name), typ, registered)
	if full {
		s.log.log(context.Background(), slog.LevelWarn, "too many method names, further ones are counted together",
			slog.Int("max_methods", s.config.MaxMethods), slog.Bool("client", s.client))
	}
	return m
}

func (s *side) insert(key, service, name string, typ CallType, registered bool) (m *method, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.Load()
	if m := old.of(typ).byName[key]; m != nil {
		return m, false
	}
	if !s.open(old.of(typ)) {
		return old.other(typ), false
	}
	t := old.grow(typ)
	if m = old.row(service, name, typ); m == nil {
		m = s.newMethod(service, name, typ, registered)
		t.all = append(t.all, m)
	}
	n := t.of(typ)
	n.byName[key] = m
	n.dynamic++
	s.publish(t)
	return m, n.dynamic == s.config.MaxMethods
}

// grow returns a copy of t that may be given more methods of typ.
func (t *table) grow(typ CallType) *table {
	grown := *t
	n := grown.of(typ)
	n.byName = maps.Clone(n.byName)
	grown.all = slices.Clone(t.all)
	return &grown
}

// row returns the method of these names, nil if there is none. There must not be two: they would be the same series of
// an exporter twice.
func (t *table) row(service, name string, typ CallType) *method {
	i, found := slices.BinarySearchFunc(t.all, name, func(m *method, name string) int { return m.compare(service, name, typ) })
	if !found {
		return nil
	}
	return t.all[i]
}

// compare orders methods by their names, operations after calls.
func (m *method) compare(service, name string, typ CallType) int {
	return cmp.Or(cmp.Compare(m.service, service), cmp.Compare(m.name, name), cmp.Compare(m.typ.order(), typ.order()))
}

func (t CallType) order() string {
	if t == Other {
		return "~" // the last, so that the rows of a gRPC method are neighbors
	}
	return string(t)
}

// register enters the methods of a server; see closeOver.
func (s *side) register(services map[string]grpc.ServiceInfo) {
	s.closeOver(Unary, func(enter func(key, service, name string, typ CallType, hidden bool)) {
		for service, info := range services {
			hidden := isInfrastructure(service)
			if hidden && s.config.Skip == nil {
				continue
			}
			for _, m := range info.Methods {
				enter("/"+service+"/"+m.Name, service, m.Name, typeOf(m.IsClientStream, m.IsServerStream), hidden)
			}
		}
	})
}

// registerOperations enters the operations of a service; see closeOver.
func (s *side) registerOperations(service string, names []string) {
	s.closeOver(Other, func(enter func(key, service, name string, typ CallType, hidden bool)) {
		for _, name := range names {
			enter(string(appendOperationKey(nil, service, name)), service, name, Other, false)
		}
	})
}

// closeOver enters methods and closes the names that typ belongs to. Dynamic names that are not among them keep what
// was counted, and count no more until they are registered too.
func (s *side) closeOver(typ CallType, methods func(enter func(key, service, name string, typ CallType, hidden bool))) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.Load()
	t := old.grow(typ)
	n := t.of(typ)
	if !n.closed {
		clear(n.byName)
	}
	n.closed = true
	methods(func(key, service, name string, typ CallType, hidden bool) {
		if n.byName[key] != nil {
			return
		}
		m := old.row(service, name, typ)
		if m == nil {
			m = s.newMethod(service, name, typ, true)
			m.hidden = hidden
			t.all = append(t.all, m)
		}
		n.byName[key] = m
	})
	s.publish(t)
}

// publish sorts t and makes it the table. The caller holds mu.
func (s *side) publish(t *table) {
	slices.SortFunc(t.all, func(a, b *method) int { return a.compare(b.service, b.name, b.typ) })
	s.table.Store(t)
}

func typeOf(clientStream, serverStream bool) CallType {
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
