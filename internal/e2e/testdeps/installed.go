package testdeps

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Installed returns every program of that name: the one in the PATH, and those that .ci/install has built, each in a
// folder of its own below vitals-tests in the user's cache folder.
func Installed(name string) (paths []string) {
	if path, err := exec.LookPath(name); err == nil {
		paths = append(paths, path)
	}
	if cache, err := os.UserCacheDir(); err == nil {
		built, _ := filepath.Glob(filepath.Join(cache, "vitals-tests", "*", name)) // The pattern is well-formed.
		paths = append(paths, built...)
	}
	return paths
}
