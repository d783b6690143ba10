"""Services of the embedded AWS that moto does not play well enough, and repairs of moto."""
