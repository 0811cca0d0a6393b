import { Button, NativeSelect } from '@mantine/core'
import { useState } from 'react'
import type { ExportedLayer, ExportLayout, LayoutChoice } from '../../experiment/export-request'
import { methodLabel } from '../../figures/describe'
import { formatBits } from '../../figures/format-number'
import { exportCautions, exportLayerName, exportLayouts } from '../../store/export-choices'
import { exportedLayer, exportObstacle } from '../../store/export-layer'
import { layerFacts, tiles } from '../../store/selectors'
import { byteText } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import { ExportLine } from './ExportLine'
import styles from './export.module.css'
import { textBlob, utf8Length } from './save-file'
import type { MethodChoiceState } from './use-method-choice'

const LAYOUT_TEXT: Readonly<Record<ExportLayout, { readonly label: string; readonly contains: string }>> = {
  'dequantized-f32': {
    label: 'Decoded values, F32',
    contains: 'Every quantized weight as the number it stands for, exactly, under its own name.',
  },
  'dequantized-bf16': {
    label: 'Decoded values, BF16',
    contains: 'Every quantized weight as the number it stands for, rounded once more to BF16 where it needs more bits.',
  },
  'compressed-tensors': {
    label: 'compressed-tensors',
    contains: 'Codes and scales under the names of compressed-tensors, with the group for config.json beside.',
  },
  'blocks-scales': {
    label: 'Blocks and scales',
    contains: 'Codes and scales as two tensors, *_blocks and *_scales, named as in gpt-oss checkpoints.',
  },
}

/** Who reads a layout, where the file needs nothing that they do not know. */
const READERS: Readonly<Partial<Record<ExportLayout, string>>> = {
  'compressed-tensors': ' compressed-tensors and vLLM read them.',
  'blocks-scales': ' Loaders of gpt-oss checkpoints read them.',
}

const WITHOUT = 'the other layers of the model, biases, activations.'

/** The layer itself, quantized with one of the methods. */
export function LayerGroup({ choice }: { readonly choice: MethodChoiceState }) {
  const { methods, method, setMethod } = choice
  const layouts = useApp(exportLayouts)
  const [asked, setLayout] = useState<ExportLayout | null>(null)
  const offered = layouts.filter(({ refusal }) => refusal === null)
  const packed = offered.find(({ layout }) => layout === 'compressed-tensors') ?? offered[0]
  const layout = layouts.find((each) => each.layout === asked && each.refusal === null)?.layout ?? packed?.layout
  const obstacle = useApp(exportObstacle)
  if (method === null || layout === undefined) {
    return <p className={styles.obstacle}>{obstacle ?? 'No method has a result yet.'}</p>
  }
  return (
    <>
      <div className={styles.choices}>
        <NativeSelect
          size="xs"
          label="Method"
          data-test="export-method"
          value={method}
          onChange={(event) => setMethod(event.currentTarget.value)}
          data={methods.map((id) => ({ value: id, label: methodLabel(id) }))}
        />
        <NativeSelect
          size="xs"
          label="Layout"
          data-test="export-layout"
          value={layout}
          onChange={({ currentTarget: { value } }) =>
            setLayout(layouts.find((each) => each.layout === value)?.layout ?? null)
          }
          data={layouts.map(layoutOption)}
        />
      </div>
      <Refusals layouts={layouts} />
      <Prepared method={method} layout={layout} obstacle={obstacle} />
    </>
  )
}

const layoutOption = ({ layout, refusal }: LayoutChoice) => ({
  value: layout,
  label: LAYOUT_TEXT[layout].label,
  disabled: refusal !== null,
})

/** Why layouts cannot be had. */
function Refusals({ layouts }: { readonly layouts: readonly LayoutChoice[] }) {
  const refused = layouts.filter(({ refusal }) => refusal !== null)
  if (refused.length === 0) return null
  return (
    <ul className={styles.small}>
      {refused.map(({ layout, refusal }) => (
        <li key={layout}>
          {LAYOUT_TEXT[layout].label}: {refusal}
        </li>
      ))}
    </ul>
  )
}

interface PreparedProps {
  readonly method: string
  readonly layout: ExportLayout
  readonly obstacle: string | null
}

/** The file on hand, or the button that makes it. */
function Prepared({ method, layout, obstacle }: PreparedProps) {
  const exported = useApp((state) => exportedLayer(state, { method, layout }))
  const running = useApp((state) => state.layerExport.runId !== null)
  const { exportLayer } = useActions()
  const expected = useApp((state) => {
    const facts = layerFacts(state)
    const outcome = tiles(state).find((model) => model.method.id === method)?.outcome
    if (!facts || outcome?.kind !== 'result') return null
    const bits = { 'dequantized-f32': 32, 'dequantized-bf16': 16, 'compressed-tensors': 0, 'blocks-scales': 0 }[layout]
    return (facts.outDim * facts.inDim * (bits || outcome.bitsPerElement)) / 8
  })
  const cautions = useApp((state, vocabulary) => exportCautions(state, vocabulary, { method, layout }))
  if (exported) return <Ready exported={exported} method={method} layout={layout} />
  return (
    <div className={styles.line}>
      <div className={styles.about}>
        <p>
          {LAYOUT_TEXT[layout].contains}
          {cautions.length === 0 && READERS[layout]}
        </p>
        <Warnings hook="export-cautions" texts={cautions} />
        <p className={styles.without}>Not in it: {WITHOUT}</p>
        {expected !== null && <p className={styles.small}>About {byteText(Math.ceil(expected))}.</p>}
        <p className={styles.small}>
          The method is fitted once more, and the file is read back and compared before it is offered.
        </p>
        {obstacle !== null && <p className={styles.obstacle}>{obstacle}</p>}
        <ExportProgress />
      </div>
      <Button
        size="xs"
        className={styles.save}
        data-test="export-prepare"
        disabled={running || obstacle !== null}
        onClick={() => void exportLayer({ method, layout })}
      >
        {running ? 'Preparing' : 'Prepare'}
      </Button>
    </div>
  )
}

/** What a loader gets wrong; nothing where there is nothing. */
function Warnings({ hook, texts }: { readonly hook: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null
  return (
    <ul className={styles.warnings} data-test={hook}>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  )
}

function ExportProgress() {
  const running = useApp((state) => state.layerExport.runId !== null)
  const progress = useApp((state) => state.layerExport.progress)
  const end = useApp((state) => state.layerExport.end)
  const { cancelExport } = useActions()
  if (running) {
    return (
      <p role="status" className={styles.said}>
        {progress ? `${progress.stage} ${progress.done} of ${progress.total}` : 'Quantizing'}{' '}
        <Button size="compact-xs" variant="default" data-test="export-cancel" onClick={cancelExport}>
          Cancel
        </Button>
      </p>
    )
  }
  if (end?.kind === 'failed') {
    return (
      <p role="alert" className={styles.said} data-error data-test={`export-error-${end.error.code}`}>
        <strong>{end.error.code}</strong> {end.error.message}
      </p>
    )
  }
  return end?.kind === 'cancelled' ? <p role="status">Cancelled.</p> : null
}

const ROLES = { weight: 'the weight', online: 'what runs online', 'low-rank': 'the low-rank branch' } as const

interface ReadyProps {
  readonly exported: ExportedLayer
  readonly method: string
  readonly layout: ExportLayout
}

/** The file: read back, with everything in it named. */
function Ready({ exported, method, layout }: ReadyProps) {
  const name = useApp((state, vocabulary) => exportLayerName(state, vocabulary, { method, layout }))
  const { file, tensors, config, warnings, bitsPerElement, notes } = exported
  return (
    <>
      <Warnings hook="export-warnings" texts={warnings} />
      <ExportLine
        hook="layer"
        name={name}
        size={file.byteLength}
        contains={`${LAYOUT_TEXT[layout].contains} Read back: every value is the same.`}
        without={WITHOUT}
        button="Save file"
        make={() => new Blob([file], { type: 'application/octet-stream' })}
      />
      {config !== null && (
        <ExportLine
          hook="config"
          name={name.replace(/\.safetensors$/, '-config.json')}
          size={utf8Length(config)}
          contains="The quantization_config group of this layer, for config.json."
          without="other layers; a loader needs the whole model described."
          make={() => textBlob(config, 'application/json')}
        />
      )}
      <details className={styles.small}>
        <summary>What is in the file</summary>
        <p>{formatBits(bitsPerElement)} bits per weight, a low-rank branch counted.</p>
        <ul data-test="export-tensors">
          {tensors.map(({ name: tensor, dtype, shape, byteLength, role }) => (
            <li key={tensor}>
              <code>{tensor}</code> {dtype} [{shape.join(', ')}], {byteText(byteLength)}: {ROLES[role]}
            </li>
          ))}
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </details>
    </>
  )
}
