package keymat

import "sync"

// memo remembers what was found of some keys, the latest of them. What it remembers is shared, and nobody may change it.
type memo[K comparable, V any] struct {
	most int // how many

	mu   sync.Mutex
	has  map[K]V
	keys []K // in the order in which they came
}

// get returns what is remembered of a key, and whether anything is.
func (m *memo[K, V]) get(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok = m.has[key]
	return value, ok
}

// put remembers it, and forgets the oldest if there are too many. What is remembered already stays as it is.
func (m *memo[K, V]) put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, twice := m.has[key]; twice {
		return
	}
	if len(m.keys) == m.most {
		delete(m.has, m.keys[0])
		m.keys = m.keys[1:]
	}
	if m.has == nil {
		m.has = make(map[K]V, m.most)
	}
	m.has[key], m.keys = value, append(m.keys, key)
}
