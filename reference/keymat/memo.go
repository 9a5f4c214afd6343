package keymat

import "sync"

// memo remembers what was made of some strings, the latest of them. What it remembers is shared, and nobody may change it.
type memo[T any] struct {
	most int // how many

	mu   sync.Mutex
	has  map[string]T
	keys []string // in the order in which they came
}

// get returns what was made of a string, or makes it. An error is not remembered.
func (m *memo[T]) get(key string, make func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if made, ok := m.has[key]; ok {
		return made, nil
	}
	made, err := make()
	if err != nil {
		return made, err
	}
	if len(m.keys) == m.most {
		delete(m.has, m.keys[0])
		m.keys = m.keys[1:]
	}
	if m.has == nil {
		m.has = map[string]T{}
	}
	m.has[key], m.keys = made, append(m.keys, key)
	return made, nil
}
