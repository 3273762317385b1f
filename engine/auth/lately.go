package auth

// lately is a map that forgets what was not used for long, so as never to hold
// more than most: two generations of half as many. Nothing in it takes longer
// when it is full.
type lately[K comparable, V any] struct {
	most       int
	young, old map[K]V
}

func newLately[K comparable, V any](most int) lately[K, V] {
	return lately[K, V]{most: most, young: map[K]V{}}
}

// get is the value of k; to look at it is not to use it.
func (l *lately[K, V]) get(k K) (v V, ok bool) {
	if v, ok = l.young[k]; ok {
		return v, true
	}
	v, ok = l.old[k]
	return v, ok
}

// put uses k.
func (l *lately[K, V]) put(k K, v V) {
	if _, ok := l.young[k]; !ok && len(l.young) >= l.most/2 {
		l.old, l.young = l.young, make(map[K]V)
	}
	l.young[k] = v
}

func (l *lately[K, V]) drop(k K) {
	delete(l.young, k)
	delete(l.old, k)
}

// size is how many there are, some perhaps counted twice.
func (l *lately[K, V]) size() int { return len(l.young) + len(l.old) }
