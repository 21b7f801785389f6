package figures_test

import (
	"testing"

	"waggle/bench/figures"
)

func TestTheMedianIsAValueThatWasMeasured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1}, 1}, {[]float64{5, 1, 9}, 5}, {[]float64{4, 1, 3, 2}, 2}} {
		if got := figures.Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
	if got := figures.Round(46.6789); got != 46.68 {
		t.Errorf("Round: %v", got)
	}
}
