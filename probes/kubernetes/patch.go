package kubernetes

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Target is what a patch changes.
type Target struct {
	// Kind is Deployment (the default), StatefulSet or DaemonSet.
	Kind string
	// Name of it. Required.
	Name string
	// Container is the name of the one that runs the program. Default: Name.
	Container string
}

// Patch writes the pod's part as a strategic merge patch, for kubectl patch --patch-file or Kustomize. It returns an
// error that names every mistake in target.
func (p *Pod) Patch(target Target) ([]byte, error) {
	target.Kind = cmp.Or(target.Kind, "Deployment")
	target.Container = cmp.Or(target.Container, target.Name)
	if err := target.check(); err != nil {
		return nil, err
	}
	type container struct {
		Name string `json:"name"`
		Container
	}
	type podSpec struct {
		Pod
		Containers []container `json:"containers"`
	}
	var patch struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Template struct {
				Spec podSpec `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	patch.APIVersion, patch.Kind, patch.Metadata.Name = "apps/v1", target.Kind, target.Name
	patch.Spec.Template.Spec = podSpec{Pod: *p, Containers: []container{{Name: target.Container, Container: p.Container}}}
	return toYAML(patch), nil
}

// object matches the names that the Kubernetes API accepts for objects and containers alike (RFC 1123 labels).
var object = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (t Target) check() error {
	var errs []error
	if kinds := []string{"Deployment", "StatefulSet", "DaemonSet"}; !slices.Contains(kinds, t.Kind) {
		errs = append(errs, fmt.Errorf("kubernetes: Target.Kind is %q: want one of %q", t.Kind, kinds))
	}
	for _, name := range [][2]string{{"Name", t.Name}, {"Container", t.Container}} {
		if !object.MatchString(name[1]) {
			errs = append(errs, fmt.Errorf("kubernetes: Target.%s is %q: want a DNS label (RFC 1123)", name[0], name[1]))
		}
	}
	return errors.Join(errs...)
}
