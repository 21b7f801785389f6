package pages_test

import (
	"runtime"
	"testing"

	"waggle/shared/pages"
)

func TestMemoryOfAnySizeIsWrittenAndReadAgain(t *testing.T) {
	t.Parallel()
	var held [][]byte
	for _, n := range []int{0, 1, 63, 4096, 2<<20 - 1, 4 << 20, 9<<20 + 17} {
		b := pages.Make(n)
		if len(b) != n {
			t.Fatalf("Make(%d) has %d bytes", n, len(b))
		}
		for i := range b {
			b[i] = byte(i * 7 / 5)
		}
		held = append(held, b)
	}
	runtime.GC()
	for _, b := range held {
		for i := range b {
			if b[i] != byte(i*7/5) {
				t.Fatalf("byte %d of %d is %d", i, len(b), b[i])
			}
		}
	}
}

func TestMemoryThatNobodyHoldsIsFreed(t *testing.T) {
	t.Parallel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		b := pages.Make(16 << 20)
		b[0], b[len(b)-1] = 1, 1
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+200<<20 {
		t.Fatalf("800 MB were made one after another, and %d MB are held", (after.HeapAlloc-before.HeapAlloc)>>20)
	}
}
