"""Paint the demo's style image: a whirling sunset over a bay, in brush strokes, free of third-party rights.

The picture depends only on size and seed. Bristled strokes of several widths cover it to its edges.
A scene gives the color and the stream function at each point; brushes draw strokes along the stream
lines, the widest brush first.

Inside, lengths are in picture heights: y runs 0..1 downward, x runs 0..aspect to the right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nst.images.picture import Doubles

SCALE = 3  # supersampling, because Pillow's lines are aliased
STEPS = 15  # points along a stroke; odd, as it grows both ways from the point that gave its color
SHORE = 0.70  # y where the hills meet the sea


def _palette(*stops: str) -> Doubles:
    """Return hex colors, dark to light, as (n, 3) in 0..1."""
    return np.array([list(bytes.fromhex(stop)) for stop in stops]) / 255


NIGHT = _palette("0b0f45", "15318c", "1a5fc0", "2d9bc8", "7ad2c4", "f4f0c8")
EMBER = _palette("6a1458", "b8243f", "e8561c", "f79426", "fdcb4c", "fff4c4")
LAND = _palette("0a0c2c", "1d1c54", "17505a", "3c8a56", "93b450", "f2b442")
WATER = _palette("07123f", "0c3070", "0f5c8a", "2293a2", "74c8b8", "e0ecc8")

WHIRLS = np.array([  # x in picture widths, y, radius; the first is the sun
    [0.40, 0.47, 0.15], [0.13, 0.23, 0.13], [0.45, 0.10, 0.09], [0.78, 0.21, 0.16], [0.64, 0.43, 0.07],
    [0.09, 0.50, 0.06], [0.99, 0.03, 0.07], [0.60, 0.04, 0.05], [0.27, 0.04, 0.06], [0.97, 0.42, 0.06],
])  # fmt: skip


def _mix(palette: Doubles, tone: Doubles) -> Doubles:
    """Return the palette's color for each tone, 0 dark to 1 light."""
    place = tone * (len(palette) - 1)
    return np.stack([np.interp(place, range(len(palette)), channel) for channel in palette.T], -1)


def _hump(distance: Doubles, radius: float | Doubles) -> Doubles:
    return np.asarray(np.exp(-0.5 * (distance / radius) ** 2))


def _blend(under: Doubles, over: Doubles, weight: Doubles, dice: Doubles) -> Doubles:
    """Choose mostly one of two colors, by the dice in 0..1; mixing within a stroke would dull the colors."""
    share = np.clip(5 * np.clip(weight, 0, 1) - 4 * dice, 0, 1)[..., None]
    return under * (1 - share) + over * share


@dataclass(frozen=True)
class Scene:
    """The painted scene. Its methods take x, y and dice of one shape (...)."""

    aspect: float
    whirls: Doubles  # (n, 4): x, y, radius, spin
    phase: list[float]  # 4, in radians

    def ridge(self, x: Doubles) -> Doubles:
        """Return the y of the skyline, (...)."""
        rise = 0.14 * _hump(x - 0.92 * self.aspect, 0.22) + 0.05 * _hump(x - 0.04 * self.aspect, 0.18)
        return 0.655 - rise + 0.012 * np.sin(9 * x + self.phase[0]) + 0.006 * np.sin(23 * x + self.phase[1])

    def bank(self, x: Doubles) -> Doubles:
        """Return the y of the near bank's edge, (...)."""
        rise = 0.17 * _hump(x, 0.3) + 0.06 * _hump(x - self.aspect, 0.25)
        return 0.96 - rise + 0.01 * np.sin(11 * x + self.phase[2])

    def stream(self, x: Doubles, y: Doubles) -> Doubles:
        """Return the stream function, (...): strokes run along its contours, and its jumps make outlines."""
        sky = 0.34 * y + 0.04 * np.sin(5 * x + 4 * y + self.phase[3])
        for left, top, radius, spin in self.whirls:
            sky = sky + spin * radius * _hump(np.hypot(x - left, y - top), radius)
        hills = 2 + y - self.ridge(x) + 0.04 * np.sin(13 * x + 9 * y)
        sea = 4 + y + 0.005 * np.sin(16 * x + 40 * y)
        bank = 6 + y - self.bank(x) + 0.04 * np.sin(9 * x - 7 * y)
        return self._stack(x, y, sky, hills, sea, bank)

    def heading(self, x: Doubles, y: Doubles) -> Doubles:
        """Return the unit direction of a stroke, (..., 2): the stream function's gradient, turned."""
        right = self.stream(x, y + 2e-3) - self.stream(x, y - 2e-3)
        down = self.stream(x - 2e-3, y) - self.stream(x + 2e-3, y)
        return np.stack([right, down], -1) / (np.hypot(right, down)[..., None] + 1e-9)

    def color(self, x: Doubles, y: Doubles, dice: Doubles) -> Doubles:
        """Return the color of a stroke, (..., 3) sRGB 0..1; dice in 0..1 decide between neighboring pigments."""
        psi = self.stream(x, y)
        layers = self._sky(x, y, psi, dice), self._hills(x, y, psi, dice), self._sea(x, y, dice)
        return self._stack(x[..., None], y[..., None], *layers, self._meadow(x, psi, dice))

    def _stack(self, x: Doubles, y: Doubles, sky: Doubles, hills: Doubles, sea: Doubles, bank: Doubles) -> Doubles:
        """Return the value of the front layer at each point."""
        return np.select([y > self.bank(x), y > SHORE, y > self.ridge(x)], [bank, sea, hills], sky)

    def _sky(self, x: Doubles, y: Doubles, psi: Doubles, dice: Doubles) -> Doubles:
        turn, light = 38 * psi, np.zeros_like(psi)
        for left, top, radius, spin in self.whirls:  # a whole turn around each whirl bends bands to spirals
            turn = turn + np.sign(spin) * np.arctan2(y - top, x - left)
            light = light + _hump(np.hypot(x - left, y - top), 0.55 * radius)
        band = 0.5 + 0.5 * np.sin(turn)
        sun = np.hypot(x - self.whirls[0, 0], y - self.whirls[0, 1])
        color = _mix(NIGHT, 0.06 + 0.62 * band * (0.6 + 0.5 * y) + (0.1 + 0.5 * band) * light)
        color = _blend(color, _mix(EMBER, 0.5 + 0.5 * light * band), 0.75 * light**2, dice)
        dusk = np.clip((y - 0.36) / 0.26, 0, 1) * (0.2 + 0.6 * band) + 1.3 * _hump(sun, 0.17)
        color = _blend(color, _mix(EMBER, 0.1 + 0.6 * band), dusk, dice)
        halo = _mix(EMBER, 1.05 - 3.2 * sun + 0.18 * np.sin(85 * sun))
        return _blend(color, halo, 1.6 * _hump(sun, 0.11), dice)

    def _hills(self, x: Doubles, y: Doubles, psi: Doubles, dice: Doubles) -> Doubles:
        color = _mix(LAND, 0.30 + 0.22 * np.sin(55 * psi) + 0.2 * np.sin(7 * x + 23 * psi))
        rim = _hump(y - self.ridge(x), 0.02) * _hump(x - self.whirls[0, 0], 0.5)
        return _blend(color, _mix(EMBER, 0.3 + 0.3 * dice), rim, dice)

    def _sea(self, x: Doubles, y: Doubles, dice: Doubles) -> Doubles:
        depth, bar = y - SHORE, 0.5 + 0.5 * np.sin(100 * y + 5 * np.sin(6 * x))
        glitter = _hump(x - self.whirls[0, 0], 0.06 + 0.3 * np.abs(depth)) * (0.4 + bar) + 0.25 * bar
        water = _mix(WATER, 0.12 + 0.6 * bar * (1 - depth))
        return _blend(water, _mix(EMBER, 0.25 + 0.65 * bar), glitter, dice)

    def _meadow(self, x: Doubles, psi: Doubles, dice: Doubles) -> Doubles:
        color = _mix(LAND, 0.30 + 0.24 * np.sin(45 * psi) + 0.2 * np.sin(9 * x + 31 * psi))
        return _blend(color, _mix(EMBER, 0.15 + 2.5 * dice), 0.15 + 0.15 * np.sin(6 * x + 60 * psi), dice)


def _compose(aspect: float, rng: np.random.Generator) -> Scene:
    spots = (WHIRLS + rng.normal(0, (0.015, 0.015, 0.006), WHIRLS.shape)) * (aspect, 1, 1)
    spin = 1.3 * (-1.0) ** np.arange(1, len(spots) + 1)
    return Scene(aspect, np.column_stack([spots, spin]), rng.uniform(0, 2 * np.pi, 4).tolist())


@dataclass(frozen=True)
class Brush:
    """One pass over the whole canvas; width and length in picture heights."""

    width: float
    length: float
    cover: float  # total area of the strokes, in canvases
    bristles: int
    spread: float  # standard deviation of the strokes' color, 0..1
    gain: float  # factor on their color: highlights come last


BRUSHES = (
    Brush(0.055, 0.30, 6.0, 16, 0.03, 0.94),
    Brush(0.030, 0.20, 3.5, 11, 0.04, 0.98),
    Brush(0.016, 0.13, 2.0, 7, 0.05, 1.03),
    Brush(0.008, 0.07, 0.50, 4, 0.05, 1.15),
)


def _walk(scene: Scene, start: Doubles, pace: Doubles) -> list[Doubles]:
    """Return the points after start, each (n, 2), pace (n, 1) apart along the stream lines."""
    path, last = [start], scene.heading(*start.T)
    for _ in range(STEPS // 2):
        way = scene.heading(*path[-1].T)
        last = np.where((way * last).sum(-1, keepdims=True) < 0, -way, way)  # never turn back
        path.append(path[-1] + pace * last)
    return path[1:]


def _fan(spine: Doubles, width: Doubles, bristles: int) -> Doubles:
    """Spread strokes (n, STEPS, 2) of width (n,) into their hairs, (n, bristles, STEPS, 2)."""
    along = np.gradient(spine, axis=1)
    normal = along[..., ::-1] * (-1, 1) / (np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9)
    taper = np.interp(np.linspace(0, 1, STEPS), (0, 0.12, 0.5, 0.8, 1), (0.6, 1, 0.9, 0.65, 0.3))
    offset = np.linspace(-0.5, 0.5, bristles)[:, None] * taper * width[:, None, None]
    return np.asarray(spine[:, None] + normal[:, None] * offset[..., None])


def _load(scene: Scene, brush: Brush, spot: Doubles, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the pigment of each hair, (n, bristles, 4): color and, as the fourth channel, thickness."""
    (x, y), count = spot.T, len(spot)
    color = brush.gain * scene.color(x, y, rng.uniform(size=count))
    color += brush.spread * (rng.normal(size=(count, 3)) + rng.normal(size=(count, 1)))
    hairs = color[:, None] + rng.normal(0, 0.045, (count, brush.bristles, 1))
    load: Doubles = np.concatenate([hairs, rng.uniform(0.2, 1, (count, brush.bristles, 1))], -1)
    return np.clip(255 * load, 0, 255).astype(np.uint8)


def _lay(canvas: Image.Image, scene: Scene, brush: Brush, rng: np.random.Generator) -> None:
    """Draw one brush's strokes on the RGBA canvas, hair by hair, with ragged ends."""
    count = int(1.4 * brush.cover * scene.aspect / (brush.width * brush.length))
    spot = rng.uniform(-0.03, (scene.aspect + 0.03, 1.03), (count, 2))
    pace = brush.length / STEPS * rng.uniform(0.5, 1.2, (count, 1))
    width = brush.width * rng.uniform(0.6, 1.2, count)
    spine = np.stack([*_walk(scene, spot, -pace)[::-1], spot, *_walk(scene, spot, pace)], 1)
    hairs = _fan(spine, width, brush.bristles) * canvas.height
    thick = np.maximum(1, np.rint(1.6 * width * canvas.height / brush.bristles)).astype(int)
    trim = rng.integers((0, STEPS - 3), (3, STEPS + 1), (count, brush.bristles, 2))
    pigment, pen = _load(scene, brush, spot, rng), ImageDraw.Draw(canvas)
    for n, b in np.ndindex(count, brush.bristles):
        points = hairs[n, b, slice(*trim[n, b])].ravel().tolist()
        pen.line(points, fill=tuple(pigment[n, b].tolist()), width=int(thick[n]))


def _ground(scene: Scene, width: int, height: int) -> Image.Image:
    """Draw a thin wash under the strokes, so that no bare canvas shows between them."""
    y, x = np.mgrid[0:1:144j, 0 : scene.aspect : 192j]
    wash = (230 * scene.color(x, y, np.full_like(x, 0.5))).astype(np.uint8)
    return Image.fromarray(wash).resize((width, height)).convert("RGBA")


def paint_demo(width: int = 768, height: int = 576, seed: int = 7) -> NDArray[np.float32]:
    """Paint the bay: (height, width, 3) float32 RGB, sRGB-encoded, 0..1, C-contiguous.

    width and height are in pixels, at least 2; the strokes grow with the height, the composition
    fills any aspect. The seed moves whirls, hills and strokes.
    """
    rng = np.random.default_rng(seed)
    scene = _compose(width / height, rng)
    canvas = _ground(scene, SCALE * width, SCALE * height)
    for brush in BRUSHES:
        _lay(canvas, scene, brush, rng)
    layers = np.stack([np.asarray(band.reduce(SCALE)) / 255 for band in canvas.split()], -1)
    slope = np.gradient(layers[..., 3:], axis=0) + np.gradient(layers[..., 3:], axis=1)
    return np.clip(layers[..., :3] + 0.18 * slope, 0, 1).astype(np.float32)  # lit from the top left
