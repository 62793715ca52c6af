package inventory

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// The limits of the wire contract.
const (
	maxSKU          = 64
	maxName         = 200
	maxQuantity     = 1_000_000_000
	defaultPageSize = 100
	maxPageSize     = 1000
)

// violations collects everything that is wrong with a request, so that a client can mend it all at once.
type violations []*errdetails.BadRequest_FieldViolation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, &errdetails.BadRequest_FieldViolation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// err returns nil or an INVALID_ARGUMENT status that names every field.
func (v *violations) err() error {
	if len(*v) == 0 {
		return nil
	}
	texts := make([]string, len(*v))
	for i, violation := range *v {
		texts[i] = violation.GetField() + " " + violation.GetDescription()
	}
	return withDetails(codes.InvalidArgument, strings.Join(texts, "; "), &errdetails.BadRequest{FieldViolations: *v})
}

func (v *violations) sku(field, sku string) {
	switch {
	case sku == "":
		v.add(field, "is required")
	case len(sku) > maxSKU:
		v.add(field, "is longer than %d characters", maxSKU)
	case !skuText(sku) || !alphanumeric(sku[0]):
		v.add(field, "must consist of a-z, 0-9, dot, hyphen and underscore, and start with a letter or digit")
	}
}

func (v *violations) prefix(field, prefix string) {
	switch {
	case len(prefix) > maxSKU:
		v.add(field, "is longer than %d characters", maxSKU)
	case !skuText(prefix):
		v.add(field, "must consist of a-z, 0-9, dot, hyphen and underscore")
	}
}

func (v *violations) expected(revision *int64, least int64) {
	if revision != nil && *revision < least {
		v.add("expected_revision", "must be at least %d", least)
	}
}

func (v *violations) item(item *inventoryv1.Item) {
	if item == nil {
		v.add("item", "is required")
		return
	}
	v.sku("item.sku", item.GetSku())
	switch name := item.GetName(); {
	case name == "":
		v.add("item.name", "is required")
	case utf8.RuneCountInString(name) > maxName:
		v.add("item.name", "is longer than %d characters", maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		v.add("item.name", "must consist of printable characters")
	case strings.TrimSpace(name) != name:
		v.add("item.name", "must not begin or end with a space")
	}
	if quantity := item.GetQuantity(); quantity < 0 || quantity > maxQuantity {
		v.add("item.quantity", "must be between 0 and %d", maxQuantity)
	}
}

func skuText(s string) bool {
	for _, c := range []byte(s) {
		if !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// withDetails makes a status error with a machine-readable detail.
func withDetails(code codes.Code, text string, detail protoDetail) error {
	st, err := status.New(code, text).WithDetails(detail)
	if err != nil { // Only for the code OK.
		return status.Error(code, text)
	}
	return st.Err()
}
