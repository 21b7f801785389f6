package pages

import (
	"os"
	"syscall"
	"unsafe"
)

const (
	// madvPopulateWrite is MADV_POPULATE_WRITE of madvise(2), which Linux has since 5.14. An older one refuses it, and pages come by faults.
	madvPopulateWrite = 23
	// least is from how many bytes on a call is worth it, and piece how many one asks for: the goroutine cannot be interrupted meanwhile, some
	// 0.2 ms.
	least = 64 << 10
	piece = 1 << 20
)

// populate has the kernel give memory its pages.
func populate(b []byte) {
	if len(b) < least {
		return
	}
	page := uintptr(os.Getpagesize())
	head := int(-uintptr(unsafe.Pointer(&b[0])) & (page - 1)) // bytes of a page that begins before
	for b = b[head:]; len(b) >= int(page); b = b[min(piece, len(b)):] {
		n := uintptr(min(piece, len(b))) &^ (page - 1)
		// Not Syscall: the scheduler would give the processor away meanwhile, and it comes back late.
		if _, _, errno := syscall.RawSyscall(syscall.SYS_MADVISE, uintptr(unsafe.Pointer(&b[0])), n, madvPopulateWrite); errno != 0 {
			return
		}
	}
}
