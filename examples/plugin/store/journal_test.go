package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestJournalSurvivesAProcessThatDiedInTheMiddle(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "journal")
	open := func() *journal {
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	put := func(j *journal, key string, value *string) {
		if err := j.set(ctx, key, value); err != nil {
			t.Fatal(err)
		}
	}
	j := open()
	put(j, "a", new("1"))
	put(j, "b", new("2"))
	put(j, "a", nil)
	if _, err := j.file.WriteString(`{"key":"c","val`); err != nil { // as a crash leaves it
		t.Fatal(err)
	}
	if err := j.close(ctx); err != nil {
		t.Fatal(err)
	}
	j = open()
	put(j, "d", new("4"))
	if err := j.close(ctx); err != nil {
		t.Fatal(err)
	}
	j = open()
	defer j.file.Close()
	if len(j.values) != 2 || j.values["b"] != "2" || j.values["d"] != "4" {
		t.Errorf("the journal knows %v, want b=2 and d=4", j.values)
	}
}

func TestJournalThatIsNoJournalIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, []byte("not JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if j, err := openJournal(path); err == nil {
		t.Errorf("opened as %v", j.values)
	}
}

func TestJournalTellsItsHealth(t *testing.T) {
	j, err := openJournal("")
	if err != nil {
		t.Fatal(err)
	}
	if err := j.check(t.Context()); err != nil {
		t.Errorf("a new journal: %v", err)
	}
	_ = j.ruin(t.Context())
	if j.check(t.Context()) == nil || j.set(t.Context(), "a", new("b")) == nil {
		t.Error("a broken journal passes for whole")
	}
	j.wedge()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if j.check(ctx) == nil {
		t.Error("a wedged journal passes for free")
	}
}
