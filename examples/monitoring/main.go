// Monitoring writes two Grafana dashboards and Prometheus recording and alert rules, from promvitals.Families, so that they
// name what is exported.
//
//	go run ./examples/monitoring -dir examples/monitoring
//
// A test compares the files with what the command writes, and promtool checks every expression in them.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . -dir .

func main() {
	dir := flag.String("dir", ".", "folder to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "monitoring:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := render()
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// render returns the files by their names.
func render() (map[string][]byte, error) {
	rules, err := production.rules()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"rules.yml": rules}
	for name, board := range map[string]dashboard{"fleet.json": fleet(), "instance.json": instance()} {
		if files[name], err = board.json(); err != nil {
			return nil, err
		}
	}
	return files, nil
}
