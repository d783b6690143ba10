"""What happens by itself in an account: schedules, alarms, scaling, hooks, service metrics."""
