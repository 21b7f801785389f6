package driver

import (
	"fmt"

	"waggle/shared/fault"
)

// ConflictError says that a condition failed, and what is stored instead, so that
// the caller can see whether the stored item is its own (an answer was lost and the
// call repeated).
type ConflictError struct {
	Key    Key
	Stored *Item // nil: nothing is stored
}

func (e *ConflictError) Error() string {
	if e.Stored == nil {
		return fmt.Sprintf("conflict on %s: it is not there", e.Key)
	}
	return fmt.Sprintf("conflict on %s: version %d is stored", e.Key, e.Stored.Version)
}

// Is makes errors.Is(err, fault.Conflict) true.
func (e *ConflictError) Is(target error) bool { return target == fault.Conflict }

// Unwrap gives the code to fault.CodeOf.
func (e *ConflictError) Unwrap() error { return fault.Conflict }
