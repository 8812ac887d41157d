"""From lesson masters to notebooks, executed editions, pages and the trainee kit."""
