package table_test

import (
	"errors"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/table"
)

func TestTheColumnsOfWhatWasEncodedAreReadWithoutItsRows(t *testing.T) {
	t.Parallel()
	data, err := table.Encode([]struct {
		ID   int64
		Note *string
	}{{1, nil}, {2, new("x")}})
	if err != nil {
		t.Fatal(err)
	}
	columns, err := table.ColumnsOf(data)
	if err != nil || columns.NumFields() != 2 || columns.Field(0).Name != "id" || table.TypeWord(columns.Field(1).Type) != "text" {
		t.Errorf("%v, %v", columns, err)
	}
	if _, err := table.ColumnsOf(data[:len(data)-1]); !errors.Is(err, fault.Corrupt) {
		t.Error(err)
	}
}
