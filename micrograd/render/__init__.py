"""Pictures of recorded graphs: values forward, gradients backward, collapsed by scope."""

from micrograd.render.classic import draw_dot, trace
from micrograd.render.picture import Picture, render

__all__ = ["Picture", "draw_dot", "render", "trace"]
