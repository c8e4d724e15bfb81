package upstream

import (
	"errors"

	"esagate/internal/fault"
)

var errToldElsewhere = errors.New("another replica was told so")

// ToldElsewhere makes the error again with which the read of a tenant's status ended at another replica, by its reason;
// false for what is no such reason.
func ToldElsewhere(reason fault.Reason) (error, bool) {
	if reason == fault.TenantNotFound {
		return noTenant(errToldElsewhere).err, true
	}
	for _, o := range []outcome{outcomeUnreachable, outcomeTimeout, outcomeError, outcomeInvalid, outcomeUnauthorized} {
		if unavailable[o].reason == reason {
			return failed(o, blameUnknown, errToldElsewhere).err, true
		}
	}
	return nil, false
}
