package rig

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// BuildServer builds examples/server with the given flags of go build and returns the path of the program, folder/server.
//
// It has the race detector if its parent has. The program is kept in the user's cache folder, by checkout and flags, so that one that is up to date is not linked
// again: folder/server is a hard link to it, or a copy. It is built once in a process.
func BuildServer(ctx context.Context, folder string, flags ...string) (string, error) {
	return Build(ctx, folder, "server", flags...)
}

// builds has the folders of all programs that this process has built: once is enough.
var builds sync.Map

// Build is BuildServer for any program below examples, such as plugin/store.
func Build(ctx context.Context, folder, program string, flags ...string) (string, error) {
	module, err := Examples()
	if err != nil {
		return "", err
	}
	flags = slices.Concat(buildFlags, flags)
	kept, unlock, err := cacheFolder(append([]string{"programs", module, program}, flags...)...)
	if err != nil {
		return "", err
	}
	defer unlock()
	built, path := filepath.Join(kept, filepath.Base(program)), filepath.Join(folder, filepath.Base(program))
	if _, done := builds.Load(kept); !done {
		args := append([]string{"build", "-C", module, "-o", built}, flags...)
		if output, err := exec.CommandContext(ctx, "go", append(args, "./"+program)...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("go build: %w\n%s", err, output)
		}
		builds.Store(kept, true)
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

// Examples returns the folder of the module examples.
var Examples = sync.OnceValues(func() (string, error) {
	list := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/vitals-go/vitals/examples")
	output, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return string(bytes.TrimSpace(output)), nil
})

// cacheFolder returns a folder in the user's cache folder for what is made from parts, of which the first names it. No
// other process has it until unlock.
func cacheFolder(parts ...string) (folder string, unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, err
	}
	sum := fnv.New64a()
	_, _ = fmt.Fprintf(sum, "%q", parts) // A hash accepts everything.
	folder = filepath.Join(cache, "vitals-tests", parts[0], strconv.FormatUint(sum.Sum64(), 16))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", nil, err
	}
	lock, err := os.Create(filepath.Join(folder, "lock"))
	if err != nil {
		return "", nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		lock.Close()
		return "", nil, err
	}
	return folder, func() { lock.Close() }, nil
}
