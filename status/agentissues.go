package status

import (
	"cmp"
	"context"

	"esagate/api"
	"esagate/transform"
)

// agentIssues gives what is wrong with agents of AGENT sources, as a query wants it.
func (s *Service) agentIssues(ctx context.Context, q *OverviewQuery) ([]api.AgentIssue, error) {
	issues := []api.AgentIssue{}
	customer := cmp.Or(q.Customer, q.Only)
	if q.Only != 0 && q.Only != customer {
		return issues, nil
	}
	refused, err := s.deps.Directory.RefusedAgents(ctx, customer)
	if err != nil {
		return nil, err
	}
	for _, src := range refused {
		if q.SourceID == "" || q.SourceID == src.SourceID {
			issues = append(issues, transform.AgentIssue(src))
		}
	}
	return issues, nil
}

// refused says of how many agents it is known that they refuse their credentials.
func (h *Headline) refused(agents int) {
	if agents > 0 {
		h.Agents = plural(int64(agents), "agent refuses its credentials", "agents refuse their credentials")
	}
}
