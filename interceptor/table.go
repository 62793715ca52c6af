package interceptor

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitals-go/vitals/internal/asynclog"
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
	log       *asynclog.Logger
	slotWidth time.Duration
	mask      uint32 // of stripes
	activity  activity
	// behindHTTP is written once, by a call behind net/http.
	behindHTTP atomic.Bool
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
	// constants are a shortcut to calls for unary calls.
	constants constants
}

// names are those of calls or of operations.
type names struct {
	byKey map[string]*method
	// dynamic counts the entries that were made by a call.
	dynamic int
	// registered says that calls make no entries.
	registered bool
}

func newSide(cfg *Config, log *asynclog.Logger, client bool) *side {
	s := &side{
		client: client, config: cfg, log: log, mask: uint32(stripe.Count() - 1),
		slotWidth: (cfg.Window + windowSlots - 1) / windowSlots,
	}
	t := &table{
		calls: names{byKey: map[string]*method{}}, operations: names{byKey: map[string]*method{}},
		otherUnary: s.newMethod(other, other, Unary, false), otherStream: s.newMethod(other, other, BidiStream, false),
		otherOperation: s.newMethod(other, other, Other, true),
	}
	t.all = []*method{t.otherStream, t.otherUnary, t.otherOperation}
	t.constants = newConstants(1)
	s.table.Store(t)
	return s
}

func (s *side) newMethod(service, name string, typ CallType, registered bool) *method {
	return &method{service: service, name: name, typ: typ, registered: registered, side: s}
}

// lookupUnary is lookup for a unary call: generated code passes the same string constant for each call of a method.
func (s *side) lookupUnary(fullMethod string) *method {
	t := s.table.Load()
	place := t.constants.place(fullMethod)
	if known := place.Load(); known != nil && known.is(fullMethod) {
		return known.method
	}
	m := t.calls.byKey[fullMethod]
	if m == nil {
		return s.lookupUnknown(t, fullMethod, Unary, true)
	}
	place.CompareAndSwap(nil, &constant{fullMethod, m})
	return m
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
	t := s.table.Load().clone(typ)
	n, m := t.of(typ)
	switch {
	case n.byKey[key] != nil:
		m = n.byKey[key]
	case s.open(n):
		m = t.enter(n, strings.Clone(key), s.newMethod(strings.Clone(service), strings.Clone(name), typ, registered))
		n.dynamic++
		if len(t.calls.byKey) > len(t.constants)/8 {
			t.constants = newConstants(2 * len(t.calls.byKey))
		}
		s.table.Store(t)
		if n.dynamic == s.config.MaxMethods {
			s.log.Log(slog.LevelWarn, "method limit reached, further names count as other",
				slog.Int("max_methods", s.config.MaxMethods), slog.Bool("client", s.client))
		}
	}
	s.mu.Unlock()
	return m
}

// replace enters methods by key. Entries that calls have made keep their counters but count no further calls, unless
// they are among them.
func (s *side) replace(typ CallType, methods map[string]*method) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table.Load().clone(typ)
	n, _ := t.of(typ)
	if !n.registered {
		clear(n.byKey)
	}
	n.registered = true
	for key, m := range methods {
		t.enter(n, key, m)
	}
	t.constants = newConstants(len(t.calls.byKey))
	s.table.Store(t)
}

// enter makes an entry for m, or for the method with its names and type if there is one: two would be the same series
// twice. It returns the method of the entry.
func (t *table) enter(n *names, key string, m *method) *method {
	i, found := slices.BinarySearchFunc(t.all, m, (*method).compare)
	if !found {
		t.all = slices.Insert(t.all, i, m)
	}
	n.byKey[key] = t.all[i]
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

// IsInfrastructure reports whether a full method name, such as /grpc.health.v1.Health/Check, belongs to a service that
// is about the server instead of its work: gRPC health, reflection, the vitals report, load reports, and those of
// go-plugin. Such calls are not counted unless Config.Skip says otherwise.
func IsInfrastructure(fullMethod string) bool {
	service, _, _ := splitName(fullMethod)
	return isInfrastructure(service)
}

func isInfrastructure(service string) bool {
	switch service {
	case "grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
		"vitals.v1.HealthReportService",
		"AWS.ALB",                            // health checks of its load balancers
		"xds.service.orca.v3.OpenRcaService", // load reports
		// HashiCorp's go-plugin. Two of these streams last as long as the plugin.
		"plugin.GRPCBroker",
		"plugin.GRPCController",
		"plugin.GRPCStdio":
		return true
	default:
		return false
	}
}

// splitName splits a full method name as grpc-go's server does: at the last slash, the leading one cut off.
func splitName(fullMethod string) (service, method string, ok bool) {
	name := strings.TrimPrefix(fullMethod, "/")
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}
