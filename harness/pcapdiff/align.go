package pcapdiff

// pair is what was matched up: places in two lists, -1 where one list has nothing.
type pair struct{ a, b int }

// maxCells bounds the work of one alignment; longer lists are paired in their order.
const maxCells = 4 << 20

// apart is the cost of two things that are never paired.
const apart = 1 << 20

// align matches two lists up in their order so that the costs of pairs and of what is left alone are least.
func align(n, m int, cost func(i, j int) int, aloneA, aloneB func(int) int) []pair {
	if (n+1)*(m+1) > maxCells {
		return inOrder(n, m)
	}
	least := make([][]int, n+1)
	for i := range least {
		least[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		least[i][m] = least[i+1][m] + aloneA(i)
	}
	for j := m - 1; j >= 0; j-- {
		least[n][j] = least[n][j+1] + aloneB(j)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			least[i][j] = min(least[i+1][j+1]+cost(i, j), least[i+1][j]+aloneA(i), least[i][j+1]+aloneB(j))
		}
	}
	return trace(n, m, least, cost, aloneA)
}

// trace follows the least costs from the beginning. Of equal ways it takes the pair.
func trace(n, m int, least [][]int, cost func(i, j int) int, aloneA func(int) int) []pair {
	pairs := make([]pair, 0, max(n, m))
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && least[i][j] == least[i+1][j+1]+cost(i, j):
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
		case i < n && least[i][j] == least[i+1][j]+aloneA(i):
			pairs = append(pairs, pair{i, -1})
			i++
		default:
			pairs = append(pairs, pair{-1, j})
			j++
		}
	}
	return pairs
}

func inOrder(n, m int) []pair {
	pairs := make([]pair, 0, max(n, m))
	for i := range max(n, m) {
		p := pair{i, i}
		if i >= n {
			p.a = -1
		}
		if i >= m {
			p.b = -1
		}
		pairs = append(pairs, p)
	}
	return pairs
}
