package manifest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"waggle/shared/fault"
)

// Read reads the manifest of a folder that the build wrote. None is fault.NotFound, one of another version fault.Incompatible, one
// that does not read back fault.Corrupt; each says what to do.
func Read(folder string) (Manifest, error) {
	path := filepath.Join(folder, File)
	op := "read " + path
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Manifest{}, (&fault.Error{Op: op, Code: fault.NotFound, Err: errors.New("nothing is built")}).WithHint("make build")
	case err != nil:
		return Manifest{}, fault.Wrap(fault.Unavailable, op, err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, (&fault.Error{Op: op, Code: fault.Corrupt, Err: err}).WithHint("make build")
	}
	if m.Version != Version {
		return Manifest{}, (&fault.Error{Op: op, Code: fault.Incompatible, Err: fault.New(fault.Incompatible, "version %d, and this program reads %d", m.Version, Version)}).
			WithHint("make build")
	}
	return m, nil
}

// Write puts the manifest into a folder that exists, whole or not at all.
func Write(folder string, m Manifest) error {
	path := filepath.Join(folder, File)
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fault.Wrap(fault.Internal, "write "+path, err)
	}
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o644); err != nil {
		return fault.Wrap(fault.Unavailable, "write "+path, err)
	}
	return fault.Wrap(fault.Unavailable, "write "+path, os.Rename(path+".new", path))
}
