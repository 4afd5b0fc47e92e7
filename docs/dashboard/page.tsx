// Draws dashboard.json with Grafana's own panels. picture.py sets `drawing`: the dashboard and what Prometheus answered.
import '@fontsource-variable/inter';
import {
  applyFieldOverrides, createTheme, DataFrame, dateTime, FieldConfigOptionsRegistry, FieldConfigPropertyItem, FieldType,
  getFieldDisplayValues, TimeRange, toDataFrame, VizOrientation,
} from '@grafana/data';
import { BigValue, BigValueTextMode, GlobalStyles, PanelChrome, ThemeContext, TimeSeries, VizRepeater } from '@grafana/ui';
import { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

type Panel = any; // as in dashboard.json
type Series = { metric: Record<string, string>; values: Array<[number, string]> };
declare const drawing: {
  dashboard: { title: string; panels: Panel[] };
  answers: Record<string, Series[]>;
  chosen: string; start: number; end: number; step: number; width: number; margin: number;
};

const CELL = 30, GAP = 8, COLUMNS = 24; // Grafana's grid
const theme = createTheme({ colors: { mode: 'dark' }, typography: { fontFamily: '"Inter Variable"' } });
const [from, to] = [dateTime(drawing.start * 1000), dateTime(drawing.end * 1000)];
const timeRange: TimeRange = { from, to, raw: { from, to } };
const replaceVariables = (text: string) => text; // no title or name has any

// What settings do is in Grafana's libraries; which there are, and their defaults, is in its server's panels.
const COLOR: Record<string, object> = { stat: { mode: 'thresholds' }, timeseries: { mode: 'palette-classic' } };
const THRESHOLDS = { mode: 'absolute', steps: [{ color: 'green', value: -Infinity }, { color: 'red', value: 80 }] };
const STANDARD = { unit: null, min: null, max: null, noValue: null, mappings: null, thresholds: THRESHOLDS };
const CUSTOM = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, lineStyle: null, fillOpacity: 0, showPoints: 'auto',
  pointSize: 5, spanNulls: false, stacking: null, axisPlacement: 'auto', axisLabel: null, axisSoftMax: null,
};

const known = (settings: Record<string, unknown>, isCustom: boolean): Array<FieldConfigPropertyItem<any>> =>
  Object.entries(settings).map(([path, usual]) => ({
    id: isCustom ? `custom.${path}` : path, path, isCustom, name: path, override: () => null, editor: () => null,
    process: (value) => value ?? usual, shouldApply: ({ type }) => !isCustom || type !== FieldType.time,
  }));

function frame(target: any, { metric, values }: Series): DataFrame {
  const name = target.legendFormat.replace(/{{(\w+)}}/g, (_: string, label: string) => metric[label]);
  // A quotient of nothing is NaN, which would leave a panel without a scale.
  const times = values.map(([at]) => at * 1000), numbers = values.map(([, value]) => value === "NaN" ? null : Number(value));
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, config: { interval: drawing.step * 1000 }, values: times },
      { name: 'Value', type: FieldType.number, config: { displayNameFromDS: name }, labels: metric, values: numbers },
    ],
  });
}

function frames(panel: Panel): DataFrame[] {
  const data = panel.targets.flatMap((target: any) =>
    drawing.answers[`${panel.id}${target.refId}`].map((series) => frame(target, series)));
  const fieldConfig = structuredClone(panel.fieldConfig);
  fieldConfig.defaults.thresholds?.steps.forEach((step: any) => (step.value ??= -Infinity));
  const fieldConfigRegistry = new FieldConfigOptionsRegistry(() => [
    ...known({ ...STANDARD, color: COLOR[panel.type] }, false), ...known(CUSTOM, true),
  ]);
  return applyFieldOverrides({ data, fieldConfig, fieldConfigRegistry, theme, replaceVariables });
}

type Size = { width: number; height: number };

function stat(panel: Panel, size: Size): ReactNode {
  const { fieldConfig, options: { reduceOptions, colorMode, graphMode } } = panel;
  const sparkline = graphMode !== 'none';
  const getValues = () => getFieldDisplayValues(
    { data: frames(panel), fieldConfig, reduceOptions, sparkline, theme, replaceVariables });
  return (
    <VizRepeater {...size} source={panel} getValues={getValues} renderCounter={0} orientation={VizOrientation.Auto} autoGrid
      renderValue={({ value, width, height, count }) => (
        <BigValue value={value.display} sparkline={value.sparkline} width={width} height={height} count={count} theme={theme}
          colorMode={colorMode} graphMode={graphMode} textMode={count === 1 ? BigValueTextMode.Value : BigValueTextMode.Auto} />
      )} />
  );
}

function timeseries(panel: Panel, size: Size): ReactNode {
  const data = frames(panel);
  if (!data.length) {
    return <div className="empty">{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;
  }
  const legend = { calcs: [], ...panel.options.legend };
  return <TimeSeries {...size} frames={data} timeRange={timeRange} timeZone="utc" options={{}} legend={legend} />;
}

const DRAW: Record<string, (panel: Panel, size: Size) => ReactNode> = { stat, timeseries };

function Draw({ panel }: { panel: Panel }) {
  const { x, y, w, h } = panel.gridPos;
  const column = (drawing.width + GAP) / COLUMNS;
  const width = w * column - GAP, height = h * (CELL + GAP) - GAP;
  const style = { position: 'absolute' as const, left: x * column, top: y * (CELL + GAP), width, height };
  if (panel.type === 'row') {
    return <div style={style} className="divider">⌄ {panel.title}</div>;
  }
  return (
    <div style={style}>
      <PanelChrome title={panel.title} description={panel.description} width={width} height={height}>
        {(width, height) => DRAW[panel.type](panel, { width, height })}
      </PanelChrome>
    </div>
  );
}

const { panels, title } = drawing.dashboard;
const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * (CELL + GAP);
const STYLE = `
  body { margin: ${drawing.margin}px; background: ${theme.colors.background.canvas}; }
  h1 { font-size: 20px; margin: 0 0 12px; }
  h1 span { font-size: 14px; font-weight: normal; margin-left: 16px; }
  h1 span, .empty { color: ${theme.colors.text.secondary}; }
  .divider { display: flex; align-items: center; font-size: 16px; font-weight: 500; }
  .empty { display: flex; height: 100%; align-items: center; justify-content: center; text-align: center; }`;

// Text is measured as it is drawn, so the font comes first.
document.fonts.load('14px "Inter Variable"').then(() => createRoot(document.getElementById('page')!).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <style>{STYLE}</style>
    <h1>{title} <span>{drawing.chosen}</span></h1>
    <div style={{ position: 'relative', width: drawing.width, height }}>
      {panels.map((panel) => <Draw key={panel.id} panel={panel} />)}
    </div>
  </ThemeContext.Provider>,
));
