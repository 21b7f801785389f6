package deflate_test

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	klauspost "github.com/klauspost/compress/flate"
	"pgregory.net/rapid"

	"waggle/functions/build/deflate"
)

// unpacked are the packed data as two inflaters that share no code with the packer read them.
func unpacked(t interface{ Fatalf(string, ...any) }, packed []byte) []byte {
	in := bytes.NewReader(packed)
	one, err := io.ReadAll(flate.NewReader(in))
	if err != nil || in.Len() > 0 {
		t.Fatalf("after %d bytes of %d: %v", len(one), len(packed), err)
	}
	two, err := io.ReadAll(klauspost.NewReader(bytes.NewReader(packed)))
	if err != nil || !bytes.Equal(one, two) {
		t.Fatalf("read in two ways: %d and %d bytes, %v", len(one), len(two), err)
	}
	return one
}

// sample has stretches of each kind: letters, few and many, runs of one, and copies from near and far.
func sample(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, 0, size)
	for len(data) < size {
		n := min(size-len(data), 1+r.IntN(1<<r.IntN(18)))
		switch kinds := 1 << r.IntN(9); {
		case len(data) > 0 && r.IntN(2) == 0:
			from := max(0, len(data)-1-r.IntN(1<<r.IntN(17)))
			for i := range n {
				data = append(data, data[from+i])
			}
		default:
			for range n {
				data = append(data, byte(r.IntN(kinds)))
			}
		}
	}
	return data
}

func TestWhatIsPackedIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := sample(rapid.Uint64().Draw(t, "seed"), rapid.OneOf(rapid.IntRange(0, 600), rapid.IntRange(0, 100_000)).Draw(t, "size"))
		if got := unpacked(t, deflate.Pack(data)); !bytes.Equal(got, data) {
			t.Fatalf("%d bytes come back as %d others", len(data), len(got))
		}
	})
}

func TestPiecesMeetWhereverTheyAreCut(t *testing.T) {
	t.Parallel()
	for i, size := range []int{1<<20 + 1} {
		data := sample(uint64(i), size)
		if got := unpacked(t, deflate.Pack(data)); !bytes.Equal(got, data) {
			t.Errorf("seed %d: %d bytes come back as %d others", i, len(data), len(got))
		}
	}
}

// Codes have at most 15 bits. Letters each as frequent as the two before it together would take more.
func TestCodesAreNoLongerThanTheyMayBe(t *testing.T) {
	t.Parallel()
	var data []byte
	for letter, a, b := byte(0), 1, 1; len(data) < 1<<19; letter, a, b = letter+1, b, a+b {
		data = append(data, bytes.Repeat([]byte{letter}, a)...)
	}
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(data), func(i, j int) { data[i], data[j] = data[j], data[i] })
	if got := unpacked(t, deflate.Pack(data)); !bytes.Equal(got, data) {
		t.Errorf("%d bytes come back as %d others", len(data), len(got))
	}
}

func TestEqualDataGiveEqualBytesOnAnyNumberOfProcessors(t *testing.T) {
	data := sample(9, 1<<20+1<<18)
	many := deflate.Pack(data)
	before := runtime.GOMAXPROCS(1)
	one := deflate.Pack(data)
	runtime.GOMAXPROCS(before)
	if !bytes.Equal(one, many) {
		t.Errorf("%d bytes on one processor, %d on %d", len(one), len(many), before)
	}
}

func TestAProgramIsSmallerThanAFastEncoderPacksIt(t *testing.T) {
	t.Parallel()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	program = program[:min(len(program), 1<<20)] // with the race detector all of it takes a minute
	var fast bytes.Buffer
	w, err := klauspost.NewWriter(&fast, klauspost.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	packed := deflate.Pack(program)
	if !bytes.Equal(unpacked(t, packed), program) || len(packed)*100 > fast.Len()*97 {
		t.Errorf("%d bytes; a fast encoder makes %d", len(packed), fast.Len())
	}
}
