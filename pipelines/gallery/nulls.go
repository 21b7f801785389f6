package gallery

// nullsLast compares two fields that may be empty; an empty one comes after all others, whatever the order.
func nullsLast[T any](a, b *T, order func(a, b T) int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	default:
		return order(*a, *b)
	}
}
