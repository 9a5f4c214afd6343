package group

import "time"

// Clear makes the group anew, with other keys and without members. Those there were are told to delete what they have, as far as they can be.
func (g *Group) Clear(now time.Time) ([]Plan, error) {
	plans, err := g.restart(now)
	if err != nil {
		return nil, err
	}
	g.drop(func(*member) bool { return true })
	return plans, nil
}
