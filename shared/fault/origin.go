package fault

import (
	"runtime"
	"strconv"
	"strings"
)

// Origin is the file:line of a caller, as a person can open it from the repository's root: where a definition
// with a mistake was declared. A skip of 1 is the caller of Origin.
func Origin(skip int) string {
	_, file, line, ok := runtime.Caller(skip)
	if !ok {
		return "unknown"
	}
	return shortPath(file) + ":" + strconv.Itoa(line)
}

// shortPath cuts an absolute path to what follows the repository's root, so that messages name
// pipelines/gallery/sales.go wherever the code was built.
func shortPath(file string) string {
	for _, root := range []string{"/pipelines/", "/shared/", "/bench/", "/cmd/"} {
		if i := strings.LastIndex(file, root); i >= 0 {
			return file[i+1:]
		}
	}
	if i := strings.LastIndex(file, "/"); i >= 0 {
		if j := strings.LastIndex(file[:i], "/"); j >= 0 {
			return file[j+1:]
		}
	}
	return file
}
