"""Flow-matching maths as pure functions on tensors.

Conventions: ``sigma`` is FLUX's time, 1 = pure noise, 0 = clean data; a schedule is a falling tensor of t + 1
sigmas that starts at 1 and ends at 0; the velocity is ``noise - data``, the derivative of x along sigma.
"""
