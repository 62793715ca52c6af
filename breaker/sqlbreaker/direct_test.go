package sqlbreaker_test

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

type only struct{ conn driver.Conn }

func (o only) Connect(context.Context) (driver.Conn, error) { return o.conn, nil }

func (o only) Driver() driver.Driver { return nil }

type execOnly struct {
	*oldConn
	driver.ExecerContext
}

type queryOnly struct {
	*oldConn
	driver.QueryerContext
}

func TestExecAndQueryExistOnlyIfTheDriverHasThem(t *testing.T) {
	f := &fake{}
	old, modern := &oldConn{f}, &modernConn{oldConn{f}}
	for name, inner := range map[string]driver.Conn{
		"neither": old, "exec": execOnly{old, modern}, "query": queryOnly{old, modern}, "both": modern,
	} {
		b, err := breaker.New(breaker.Config{Name: "database"})
		if err != nil {
			t.Fatal(err)
		}
		connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: only{inner}})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := connector.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, wantExec := inner.(driver.ExecerContext)
		_, wantQuery := inner.(driver.QueryerContext)
		execer, exec := conn.(driver.ExecerContext)
		queryer, query := conn.(driver.QueryerContext)
		if exec != wantExec || query != wantQuery {
			t.Errorf("%s: exec %v, query %v", name, exec, query)
		}
		b.ForceOpen("test")
		if exec {
			if _, err := execer.ExecContext(t.Context(), "x", nil); !breaker.IsRejected(err) {
				t.Errorf("%s: exec is not protected: %v", name, err)
			}
		}
		if query {
			if _, err := queryer.QueryContext(t.Context(), "x", nil); !breaker.IsRejected(err) {
				t.Errorf("%s: query is not protected: %v", name, err)
			}
		}
	}
}
