"""How many planted mistakes the rules find."""
