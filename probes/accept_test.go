package probes

import (
	"fmt"
	"strings"
	"testing"
)

func TestEntriesYieldsQualityValues(t *testing.T) {
	for header, want := range map[string]string{
		"gzip":                           "gzip 1",
		"text/html, */*;q=0.8":           "text/html 1|*/* 0.8",
		" gzip ; q=0 , * ; Q=0.5":        "gzip 0|* 0.5",
		"text/plain;version=0.0.4;q=0.3": "text/plain 0.3",
		"text/plain;version=1":           "text/plain 1",
		"a;q=2, b;q=-1, c;q=x, d;q=NaN":  "a 0|b 0|c 0|d 0",
		"one\ntwo;q=0.1":                 "one 1|two 0.1", // two lines
	} {
		var got []string
		for entry, q := range acceptEntries(strings.Split(header, "\n")) {
			got = append(got, fmt.Sprint(entry, " ", q))
		}
		if text := strings.Join(got, "|"); text != want {
			t.Errorf("%q: %s, want %s", header, text, want)
		}
	}
	for range acceptEntries([]string{"a,b"}) {
		break // the iterator must stop
	}
}
