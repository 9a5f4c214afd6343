package lab

import "testing"

// A node that starts again has other random octets than before, and the same ones in every run.
func TestStartsAgainWithAnotherSeed(t *testing.T) {
	var c starts
	if c.seed("1", "gm1") != "1" || c.seed("1", "ks") != "1" {
		t.Error("the first start has the network's seed")
	}
	again := c.seed("1", "gm1")
	var other starts
	other.seed("1", "gm1")
	if again == "1" || again != other.seed("1", "gm1") || again == c.seed("1", "gm1") {
		t.Error(again)
	}
}
