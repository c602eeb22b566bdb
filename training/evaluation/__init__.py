"""How good the recommendations are: judged on listeners that training has not seen, through the code that serves."""
