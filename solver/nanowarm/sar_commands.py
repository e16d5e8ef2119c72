"""The commands `sar` and `particle`: what a particle does, without a body around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanowarm.errors import CaseError

if TYPE_CHECKING:
    from nanowarm.physics.particles import AnySpecificPower, Particle
    from nanowarm.physics.single_particle import Heating, Surroundings
    from nanowarm.quantity import Dimension
    from nanowarm.results.sar_page import Panel
    from nanowarm.sar_curves import Point

Names = Annotated[list[str], typer.Argument(metavar="PARTICLE...", help="of the library, or paths of .toml files")]
FieldText = Annotated[str, typer.Option("--field", metavar="H", help="peak amplitude")]
FrequencyText = Annotated[str, typer.Option("--frequency", metavar="F", help="of the field")]
TemperatureText = Annotated[str, typer.Option("--temperature", metavar="T", help="of the particles")]
DiameterText = Annotated[str | None, typer.Option("--diameter", metavar="D", help="of the core instead of the file's")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON alone")]


def sar(  # noqa: PLR0913  (options of a command)
    particles: Names,
    field: FieldText = "20 kA/m",
    frequency: FrequencyText = "360 kHz",
    temperature: TemperatureText = "25 degC",
    diameter: DiameterText = None,
    as_json: AsJson = False,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE.png", help="save a picture of the curves")] = None,
    measured: Annotated[Path | None, typer.Option("--measured", metavar="FILE.csv", help="points to compare with")] = None,
) -> None:
    """Specific power of particles over size, field, frequency and temperature."""
    import json

    from nanowarm.results.sar_page import ROWS
    from nanowarm.sar_curves import STEPS, Question

    point = _point(field, frequency, temperature)
    powers = {name: _resized(name, found_particle(name).specific_power, diameter) for name in particles}
    answers = {name: _answer(name, power, point) for name, power in powers.items()}
    points = [row for power in powers.values() for row in power.measurements()] + _measured_points(measured)
    if as_json:
        print(json.dumps(next(iter(answers.values())) if len(answers) == 1 else answers))
    else:
        for name, answer in answers.items():
            _print_answer(name, powers[name], answer, point)
    if plot is None and as_json:
        return
    found = Question(powers, point, points, ROWS if plot is None else STEPS).panels()
    if not as_json:
        _print_panels(found)
    if plot is not None:
        _save(found, point, plot)
        if not as_json:
            print(f"wrote {plot}")


def found_particle(name: str) -> Particle:
    """A particle of the library, or of a user's file.

    Raises:
        CaseError: there is none, or its file can't be used.
    """
    from nanowarm.model import nearest
    from nanowarm.physics.particles import Particle
    from nanowarm.shelf import is_path, library_files, load_record

    files = library_files("particle")
    if is_path(name):
        return load_record(Path(name), Particle)
    if name not in files:
        raise CaseError(f'no particle "{name}"; {nearest(name, files)}; or the path of your own .toml file')
    return load_record(files[name], Particle)


def _parsed(option: str, dimension: Dimension, text: str) -> float:
    """Value [SI] of an option."""
    try:
        return dimension.parse(text)
    except ValueError as error:
        raise CaseError(f"{option}: {error}") from None


def _point(field: str, frequency: str, temperature: str) -> Point:
    from nanowarm.quantity import FIELD_AMPLITUDE, FREQUENCY, TEMPERATURE
    from nanowarm.sar_curves import Point

    kelvin = _parsed("--temperature", TEMPERATURE, temperature)
    if kelvin <= 0.0:
        raise CaseError("--temperature: must be above 0 K")
    return Point(_parsed("--field", FIELD_AMPLITUDE, field), _parsed("--frequency", FREQUENCY, frequency), kelvin)


def _resized(name: str, power: AnySpecificPower, diameter: str | None) -> AnySpecificPower:
    from nanowarm.quantity import PARTICLE_DIAMETER

    if diameter is None:
        return power
    size = _parsed("--diameter", PARTICLE_DIAMETER, diameter)
    return _named(name, lambda: power.resized(size))


def _named[Result](name: str, ask: Callable[[], Result]) -> Result:
    """What `ask` returns; its faults name the particle."""
    try:
        return ask()
    except CaseError as error:
        raise CaseError(*(f"{name}: {fault}" for fault in error.faults)) from None


def _answer(name: str, power: AnySpecificPower, point: Point) -> dict[str, Any]:
    """What `sar --json` prints of a particle."""
    value = _named(name, lambda: float(power.power(point.field, point.frequency, point.temperature)))
    times = power.relaxation_times(point.temperature)
    notes = power.notes(point.field, point.frequency, point.temperature)
    return {
        "specific_power_W_per_gFe": value / 1e3,
        "neel_time_s": _finite(times.neel),
        "brown_time_s": _finite(times.brown),
        "valid": not notes,
        "notes": list(notes),
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _print_answer(name: str, power: AnySpecificPower, answer: dict[str, Any], point: Point) -> None:
    size = "" if power.median_diameter is None else f", {power.median_diameter * 1e9:g} nm"
    print(f"{name} ({power.kind}{size}, {power.quality}) at {point.text()}")
    print(f"  {'specific power':<28} {answer['specific_power_W_per_gFe']:.4g} W/gFe")
    for line in _time_lines(power, point.temperature):
        print(f"  {line}")
    for note in answer["notes"]:
        print(f"  note: {note}")


def _time_lines(power: Heating, temperature: float) -> list[str]:
    times = power.relaxation_times(temperature)
    known = {"Néel time": times.neel, "Brown time": times.brown}
    return [
        f"{what:<28} {time:.4g} s" if math.isfinite(time) else f"{what:<28} frozen"
        for what, time in known.items()
        if time is not None
    ]


def _measured_points(file: Path | None) -> list[dict[str, float]]:
    from nanowarm.physics.table_files import read_points

    try:
        return [] if file is None else read_points(file)
    except ValueError as error:
        raise CaseError(f"--measured: {error}") from None


def _print_panels(panels: list[Panel]) -> None:
    from nanowarm.results.sar_page import table_lines

    for panel in panels:
        print(f"\nspecific power [W/gFe] over {panel.axis.split(' ')[0]}")
        for line in table_lines(panel):
            print(f"  {line}")
    if any(panel.points.size for panel in panels):
        print("\nmeasured points are in the picture")


def _save(panels: list[Panel], point: Point, file: Path) -> None:
    from nanowarm.results.sar_page import draw

    try:
        draw(panels, point.text(), file)
    except (ValueError, OSError) as error:
        raise CaseError(f"--plot: {file}: {getattr(error, 'strerror', None) or error}") from None


def particle(  # noqa: PLR0913  (options of a command)
    name: Annotated[str, typer.Argument(metavar="PARTICLE", help="of the library, or path of a .toml file")],
    field: FieldText = "20 kA/m",
    frequency: FrequencyText = "360 kHz",
    temperature: TemperatureText = "25 degC",
    diameter: DiameterText = None,
    power: Annotated[str | None, typer.Option("--power", metavar="P", help="specific power instead of the file's")] = None,
    gradient: Annotated[str, typer.Option("--gradient", metavar="G", help="of the flux density")] = "10 T/m",
    conductivity: Annotated[str, typer.Option("--conductivity", metavar="K", help="of the medium")] = "0.6 W/m/K",
    conductance: Annotated[str, typer.Option("--conductance", metavar="G", help="of its interface")] = "1e8 W/m^2/K",
    cluster: Annotated[str, typer.Option("--cluster", metavar="R", help="radius of a cluster")] = "100 nm",
    packing: Annotated[float, typer.Option("--packing", min=0.0, max=1.0, help="share of cores in its volume")] = 0.3,
    as_json: AsJson = False,
) -> None:
    """One particle: relaxation times, moment, force in a gradient, and how hot its surface gets."""
    import json

    from nanowarm import quantity

    point = _point(field, frequency, temperature)
    record = found_particle(name)
    heating = record.specific_power
    size = heating.median_diameter if diameter is None else _parsed("--diameter", quantity.PARTICLE_DIAMETER, diameter)
    if size is None:
        raise CaseError(f'{name}: its file does not say its size: give it, e.g. --diameter "10 nm"')
    heating = heating if heating.median_diameter is None else _resized(name, heating, diameter)
    answer = _answer(name, heating, point)
    specific = answer["specific_power_W_per_gFe"] * 1e3 if power is None else _parsed("--power", quantity.SPECIFIC_POWER, power)
    around = _surroundings(conductivity, conductance, cluster, packing, gradient)
    numbers = around.numbers(heating, size, specific, point.temperature)
    if as_json:
        times = {key: answer[key] for key in ("neel_time_s", "brown_time_s")}
        print(json.dumps({"diameter_m": size, "specific_power_W_per_gFe": specific / 1e3} | times | numbers))
    else:
        _print_particle(record, size, specific, point)
        print("\n".join(f"  {line}" for line in around.lines(numbers)))


def _surroundings(conductivity: str, conductance: str, cluster: str, packing: float, gradient: str) -> Surroundings:
    from nanowarm import quantity
    from nanowarm.physics.single_particle import Surroundings

    across = _parsed("--conductance", quantity.HEAT_TRANSFER_COEFFICIENT, conductance)
    if across == 0.0:
        raise CaseError("--conductance: must be above 0 W/m^2/K")
    return Surroundings(
        _parsed("--conductivity", quantity.CONDUCTIVITY, conductivity),
        across,
        _parsed("--cluster", quantity.LENGTH, cluster),
        packing,
        _parsed("--gradient", quantity.FIELD_GRADIENT, gradient),
    )


def _print_particle(record: Particle, size: float, specific: float, point: Point) -> None:
    """What is known of a particle, and what it does at a point."""
    heating = record.specific_power
    print(f"{record.name} ({heating.kind}, {heating.quality})")
    if record.note:
        print(f"  {record.note.strip()}")
    print(f"  source: {heating.source.strip()}")
    print(f"one core of {size * 1e9:g} nm at {point.text()}")
    print(f"  {'specific power':<28} {specific / 1e3:.4g} W/gFe")
    for line in _time_lines(heating.resized(size) if heating.median_diameter else heating, point.temperature):
        print(f"  {line}")
    if heating.saturation_magnetization is None:
        print("  note: its file does not give its saturation magnetisation: 446 kA/m, that of magnetite, is assumed")
