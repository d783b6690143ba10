"""EC2 Auto Scaling: groups, hooks, policies and refreshes. The control loop moves the instances."""
