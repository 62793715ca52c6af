package rig

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// BuildServer builds examples/server with the given flags of go build and returns the path of the program, folder/server.
//
// The program is kept in the user's cache folder, by checkout and flags, so that one that is up to date is not linked
// again: folder/server is a hard link to it, or a copy.
func BuildServer(ctx context.Context, folder string, flags ...string) (string, error) {
	return Build(ctx, folder, "server", flags...)
}

// Build is BuildServer for any program below examples, such as plugin/store.
func Build(ctx context.Context, folder, program string, flags ...string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/vitals-go/vitals/examples")
	output, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	module := string(bytes.TrimSpace(output))
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	key := fnv.New64a()
	_, _ = fmt.Fprintf(key, "%q %q %q", module, program, flags) // A hash accepts everything.
	kept := filepath.Join(cache, "vitals-tests", "programs", fmt.Sprintf("%x", key.Sum64()))
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(kept, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	built, path := filepath.Join(kept, filepath.Base(program)), filepath.Join(folder, filepath.Base(program))
	args := append([]string{"build", "-C", module, "-o", built}, flags...)
	if output, err := exec.CommandContext(ctx, "go", append(args, "./"+program)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	if os.Link(built, path) == nil {
		return path, nil
	}
	content, err := os.ReadFile(built)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, content, 0o700)
}
