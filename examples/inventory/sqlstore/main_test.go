package sqlstore_test

import (
	"os"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

func TestMain(m *testing.M) { os.Exit(testdeps.Main(m)) }
