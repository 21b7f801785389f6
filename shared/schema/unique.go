package schema

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Uniqueness is found by hash: rows are dealt to partitions by the hash of their values, each partition fits
// into the processor's cache, and in each a table says whether a value was there before. Two kinds of rule differ in what the
// 64 bits are: of one column of numbers the number itself, of everything else a hash, and rows with equal hashes are compared.

// partitionRows is how many rows a partition has on average: its table is half a megabyte.
const partitionRows = 1 << 14

// passRows is how many rows are dealt out at a time: 16 bytes each.
const passRows = 12 << 20

const maxPartitions = 1 << 12

// uniqueness marks the rows that break a rule of uniqueness.
func (e *evaluator) uniqueness(i int, r *rule) {
	for k, words := range findCopies(e.columnsOf(r), e.rows, r.unique, passRows).blocks {
		if words != nil {
			e.failed[i].or(k, words)
		}
	}
}

// findCopies returns the rows that break a rule of uniqueness, dealing out so many at a time.
func findCopies(columns []*chunked, rows int, which Copies, most int) *marks {
	d := &dealer{keys: keysOf(columns), rows: rows, copies: which, workers: runtime.GOMAXPROCS(0), most: most}
	return d.run()
}

// dealer deals rows to partitions.
type dealer struct {
	keys    *keys
	rows    int
	copies  Copies
	workers int
	most    int      // rows that are dealt out at a time
	shift   int      // a hash, shifted right, is its partition
	counts  [][]int  // by worker: rows of each partition
	found   []*marks // by worker
}

// run returns the rows that break the rule.
func (d *dealer) run() *marks {
	partitions := 1
	for partitions < maxPartitions && partitions*partitionRows < d.rows {
		partitions *= 2
	}
	d.shift = 64
	for n := partitions; n > 1; n /= 2 {
		d.shift--
	}
	d.count(partitions)
	totals := make([]int, partitions)
	for _, counts := range d.counts {
		for p, n := range counts {
			totals[p] += n
		}
	}
	d.found = make([]*marks, d.workers)
	for w := range d.found {
		d.found[w] = newMarks(d.rows)
	}
	var room []dealt
	for from := 0; from < partitions; {
		to, n := from, 0
		for to < partitions && (n == 0 || n+totals[to] <= d.most) {
			n += totals[to]
			to++
		}
		if n > d.most { // one partition: a value that is nearly everywhere
			d.whole(from)
		} else if n > 0 {
			if n > cap(room) {
				room = make([]dealt, n)
			}
			d.pass(room[:n], from, to)
		}
		from = to
	}
	for _, m := range d.found[1:] {
		for k, words := range m.blocks {
			if words != nil {
				d.found[0].or(k, words)
			}
		}
	}
	return d.found[0]
}

// share is the blocks that a worker reads, in order of the workers, so that partitions are in order of rows.
func (d *dealer) share(w int) (from, to int) {
	blocks := (d.rows + blockRows - 1) / blockRows
	return blocks * w / d.workers, blocks * (w + 1) / d.workers
}

func (d *dealer) each(work func(w int)) {
	var workers sync.WaitGroup
	for w := range d.workers {
		workers.Go(func() { work(w) })
	}
	workers.Wait()
}

func (d *dealer) count(partitions int) {
	d.counts = make([][]int, d.workers)
	d.each(func(w int) {
		counts := make([]int, partitions)
		r := d.keys.reader()
		from, to := d.share(w)
		for k := from; k < to; k++ {
			r.read(k*blockRows, min(blockRows, d.rows-k*blockRows))
			for _, h := range r.hashes {
				counts[h>>d.shift]++
			}
		}
		d.counts[w] = counts
	})
}

// dealt is a row in its partition.
type dealt struct {
	hash uint64
	row  int64
}

// pass deals the rows of partitions and looks for copies in each.
func (d *dealer) pass(rows []dealt, from, to int) {
	starts := make([]int, to-from+1)
	places := make([][]int, d.workers)
	for w := range places {
		places[w] = make([]int, to-from)
	}
	at := 0
	for p := from; p < to; p++ {
		starts[p-from] = at
		for w := range places {
			places[w][p-from] = at
			at += d.counts[w][p]
		}
	}
	starts[to-from] = at
	d.each(func(w int) { d.deal(rows, w, from, to, places[w]) })

	var next atomic.Int64
	d.each(func(w int) {
		table := newKeyTable(d.keys, d.copies, d.found[w])
		for p := int(next.Add(1)) - 1; p < to-from; p = int(next.Add(1)) - 1 {
			table.reset(starts[p+1] - starts[p])
			for _, r := range rows[starts[p]:starts[p+1]] {
				table.add(r.hash, int(r.row))
			}
		}
	})
}

func (d *dealer) deal(rows []dealt, w, from, to int, places []int) {
	r := d.keys.reader()
	first, last := d.share(w)
	for k := first; k < last; k++ {
		r.read(k*blockRows, min(blockRows, d.rows-k*blockRows))
		for i, h := range r.hashes {
			p := int(h >> d.shift)
			if p < from || p >= to {
				continue
			}
			at := places[p-from]
			places[p-from]++
			rows[at] = dealt{h, int64(k*blockRows + int(r.rows[i]))}
		}
	}
}

// whole looks for copies in a partition that is too large to be dealt.
func (d *dealer) whole(p int) {
	table := newKeyTable(d.keys, d.copies, d.found[0])
	table.reset(partitionRows)
	r := d.keys.reader()
	for from := 0; from < d.rows; from += blockRows {
		r.read(from, min(blockRows, d.rows-from))
		for i, h := range r.hashes {
			if int(h>>d.shift) == p {
				table.add(h, from+int(r.rows[i]))
			}
		}
	}
}

// keyTable says of each value whether it was there before. Rows may be added in any order.
type keyTable struct {
	keys   *keys
	copies Copies
	found  *marks
	slots  []slot
	used   int
	hashed bool     // equal hashes are told apart by a second one, not by the values
	second []uint64 // by slot, where hashed
}

// slot is a value.
type slot struct {
	hash uint64
	row  int64 // its first row + 1, of AllButLast its last one; negative: it was there twice. 0: no value
}

func newKeyTable(k *keys, c Copies, found *marks) *keyTable {
	return &keyTable{keys: k, copies: c, found: found}
}

// reset empties the table for about n rows. It grows with the values, not with the rows.
func (t *keyTable) reset(n int) {
	size := 64
	for size < 2*min(n, 2*partitionRows) {
		size *= 2
	}
	t.used = 0
	if cap(t.slots) < size {
		t.slots = make([]slot, size)
	} else {
		t.slots = t.slots[:size]
		clear(t.slots)
	}
	if t.hashed && len(t.second) < size {
		t.second = make([]uint64, size)
	}
}

func (t *keyTable) add(hash uint64, row int) { t.addHashed(hash, 0, row) }

func (t *keyTable) addHashed(hash, second uint64, row int) {
	mask := uint64(len(t.slots) - 1)
	for at := hash; ; at++ {
		s := &t.slots[at&mask]
		if s.row == 0 {
			if *s = (slot{hash, int64(row) + 1}); t.hashed {
				t.second[at&mask] = second
			}
			if t.used++; t.used*4 > len(t.slots)*3 {
				t.grow()
			}
			return
		}
		if s.hash != hash {
			continue
		}
		before := int(max(s.row, -s.row)) - 1
		if t.hashed {
			if t.second[at&mask] != second {
				continue
			}
		} else if !t.keys.exact && !t.keys.equal(before, row) {
			continue
		}
		t.again(s, before, row)
		return
	}
}

// again marks what a copy breaks.
func (t *keyTable) again(s *slot, before, row int) {
	switch t.copies {
	case All:
		t.found.add(row)
		if s.row > 0 {
			t.found.add(before)
			s.row = -s.row
		}
	case AllButFirst:
		t.found.add(max(before, row))
		s.row = int64(min(before, row)) + 1
	case AllButLast:
		t.found.add(min(before, row))
		s.row = int64(max(before, row)) + 1
	}
}

func (t *keyTable) grow() {
	old, second := t.slots, t.second
	t.slots = make([]slot, 2*len(old))
	if t.hashed {
		t.second = make([]uint64, len(t.slots))
	}
	mask := uint64(len(t.slots) - 1)
	for i, s := range old {
		if s.row == 0 {
			continue
		}
		at := s.hash
		for t.slots[at&mask].row != 0 {
			at++
		}
		if t.slots[at&mask] = s; t.hashed {
			t.second[at&mask] = second[i]
		}
	}
}
