package secret

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"waggle/shared/fault"
)

// Source reads the secret that a scheme's name stands for. What is not there is fault.NotFound.
type Source func(ctx context.Context, name string) (string, error)

// Env is the source of env: references. lookup is os.LookupEnv, or a test's. A variable that is empty is not there.
func Env(lookup func(string) (string, bool)) Source {
	return func(_ context.Context, name string) (string, error) {
		value, _ := lookup(name)
		if value == "" {
			return "", fault.New(fault.NotFound, "variable %s is not set", name)
		}
		return value, nil
	}
}

// Resolver turns references into secrets, and remembers them in its Masker. Safe for several goroutines.
type Resolver struct {
	sources map[string]Source
	masker  *Masker
}

// NewResolver returns a resolver of these sources by scheme; it copies the map.
func NewResolver(sources map[string]Source) *Resolver {
	return &Resolver{maps.Clone(sources), NewMasker()}
}

// Masker returns what takes out of texts what was resolved.
func (r *Resolver) Masker() *Masker { return r.masker }

// Resolve returns the secret behind a reference; none for an empty one. Spaces and line breaks around it are dropped, as
// files and consoles leave them there. A variable of the environment may hold a reference of another scheme in place of the secret:
// env:SLACK_WEBHOOK_URL with the value ssm:/waggle/slack is what that parameter holds. Its error names each reference, is
// fault.NotFound where there is no such secret, and fault.Invalid where the text is no reference or this program has no source for it.
func (r *Resolver) Resolve(ctx context.Context, ref Ref) (Value, error) {
	if ref == "" {
		return Value{}, nil
	}
	scheme, name, ok := ref.Parts()
	if !ok {
		return Value{}, ref.Check()
	}
	source := r.sources[scheme]
	if source == nil {
		return Value{}, fault.New(fault.Invalid, "secret %q: this program reads no %s: references", ref, scheme).
			WithHint("it reads %s", strings.Join(r.schemes(), ", "))
	}
	plain, err := source(ctx, name)
	plain = strings.TrimSpace(plain)
	if err == nil && plain == "" {
		err = fault.New(fault.NotFound, "it is empty")
	}
	if inner := Ref(plain); err == nil && scheme == SchemeEnv && inner.kept() {
		v, err := r.Resolve(ctx, inner)
		if err != nil {
			return Value{}, &fault.Error{Op: "variable " + name, Code: fault.CodeOf(err), Err: err}
		}
		return v, nil
	}
	if err != nil {
		code := fault.CodeOf(err)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			code = fault.Canceled
		}
		return Value{}, &fault.Error{Op: "secret " + string(ref), Code: code, Err: err}
	}
	v := New(plain)
	r.masker.Add(v)
	return v, nil
}

func (r *Resolver) schemes() []string {
	var names []string
	for _, scheme := range slices.Sorted(maps.Keys(r.sources)) {
		names = append(names, scheme+":")
	}
	if len(names) == 0 {
		return []string{"none"}
	}
	return names
}
