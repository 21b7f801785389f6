//go:build duckdb && cgo

package sqlasset

/*
#include <stdint.h>
#include <stdlib.h>

// DuckDB's functions for Arrow, from its C header. The bindings have them too, behind a build tag of their own that a user
// would have to know; here duckdb is the only one. All handles are pointers.
extern int duckdb_arrow_scan(void *connection, const char *table_name, void *arrow);
extern void *duckdb_to_arrow_schema(void *arrow_options, void **types, const char **names, uint64_t column_count, void *out_schema);
extern void *duckdb_data_chunk_to_arrow(void *arrow_options, void *chunk, void *out_arrow_array);
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// Arrow's C structs are at most this large: ArrowSchema has 9 fields of 8 bytes, ArrowArray 10, ArrowArrayStream 5.
const arrowStruct = 80

// register makes a view of record batches, which can be read once. release frees what C holds of them.
func register(conn duckdb.Connection, view string, batches array.RecordReader) (release func(), err error) {
	stream := C.calloc(1, arrowStruct)
	name := C.CString(view)
	defer C.free(unsafe.Pointer(name))
	release = func() {
		cdata.ReleaseCArrowArrayStream((*cdata.CArrowArrayStream)(stream))
		C.free(stream)
	}
	cdata.ExportRecordReader(batches, (*cdata.CArrowArrayStream)(stream))
	if C.duckdb_arrow_scan(conn.Ptr, name, stream) != 0 {
		release()
		return nil, fmt.Errorf("DuckDB does not take the columns %s", batches.Schema())
	}
	return release, nil
}

// arrowSchema returns the columns of a result as Arrow has them.
func arrowSchema(options duckdb.ArrowOptions, columns []column) (*arrow.Schema, error) {
	n := C.size_t(len(columns))
	names := unsafe.Slice((**C.char)(C.calloc(n, C.size_t(unsafe.Sizeof(uintptr(0))))), len(columns))
	types := unsafe.Slice((*unsafe.Pointer)(C.calloc(n, C.size_t(unsafe.Sizeof(uintptr(0))))), len(columns))
	schema := C.calloc(1, arrowStruct)
	defer func() {
		for _, name := range names {
			C.free(unsafe.Pointer(name))
		}
		C.free(unsafe.Pointer(unsafe.SliceData(names)))
		C.free(unsafe.Pointer(unsafe.SliceData(types)))
		cdata.ReleaseCArrowSchema((*cdata.CArrowSchema)(schema))
		C.free(schema)
	}()
	for i, c := range columns {
		names[i], types[i] = C.CString(c.name), c.logical.Ptr
	}
	failed := C.duckdb_to_arrow_schema(options.Ptr, unsafe.SliceData(types), unsafe.SliceData(names), C.uint64_t(n), schema)
	if err := errorData(failed); err != nil {
		return nil, err
	}
	return cdata.ImportCArrowSchema((*cdata.CArrowSchema)(schema))
}

// arrowBatch returns a chunk of a result as Arrow has it, in memory of DuckDB's until it is released.
func arrowBatch(options duckdb.ArrowOptions, schema *arrow.Schema, chunk duckdb.DataChunk) (arrow.RecordBatch, error) {
	out := C.calloc(1, arrowStruct)
	defer func() {
		cdata.ReleaseCArrowArray((*cdata.CArrowArray)(out))
		C.free(out)
	}()
	if err := errorData(C.duckdb_data_chunk_to_arrow(options.Ptr, chunk.Ptr, out)); err != nil {
		return nil, err
	}
	return cdata.ImportCRecordBatchWithSchema((*cdata.CArrowArray)(out), schema)
}

func errorData(failed unsafe.Pointer) error {
	data := duckdb.ErrorData{Ptr: failed}
	defer duckdb.DestroyErrorData(&data)
	if failed == nil || !duckdb.ErrorDataHasError(data) {
		return nil
	}
	return fmt.Errorf("%s", duckdb.ErrorDataMessage(data))
}
