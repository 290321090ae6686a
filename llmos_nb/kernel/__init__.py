"""What everything stands on: events, the budget and its ledger, the state database, atomic files. No model, no notebook."""
