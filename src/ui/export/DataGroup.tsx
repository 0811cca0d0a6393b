import { useMemo } from 'react'
import { resultsText } from '../../experiment/results/results-file'
import { citeText, exportName, resultsDocument, tableCsv } from '../../store/export-content'
import { useApp, useStateReader, useVocabulary } from '../use-app'
import { ExportLine } from './ExportLine'
import { textBlob, utf8Length } from './save-file'

/** Numbers as files. */
export function DataGroup() {
  const read = useStateReader()
  const vocabulary = useVocabulary()
  const csv = useApp(tableCsv)
  const isEmpty = useApp((state) => resultsDocument(state, vocabulary) === null)
  const name = useApp((state) => exportName(state, vocabulary, ['results'], 'csv'))
  const cite = useApp(citeText)
  // Many numbers: written when the dialog opens and on the click, not while it is drawn again.
  const size = useMemo(() => {
    const results = resultsDocument(read(), vocabulary)
    return results && utf8Length(resultsText(results))
  }, [read, vocabulary])
  const obstacle = isEmpty ? 'No method has a result yet.' : null
  return (
    <>
      <ExportLine
        hook="csv"
        name={name}
        size={utf8Length(csv)}
        contains="The table: a line per method with layer, rows and version, in the columns of the headless compare, numbers in full precision."
        without="curves, histograms, other settings."
        obstacle={obstacle}
        make={() => textBlob(csv, 'text/csv')}
      />
      <ExportLine
        hook="json"
        name={name.replace(/csv$/, 'json')}
        size={size}
        contains="Every number, curve and histogram of this layer under all settings computed, with settings, seeds, versions, adapter and the fingerprint of the files. Dropped on this page, it restores the figures."
        without="weights, activations."
        obstacle={obstacle}
        make={() => {
          const results = resultsDocument(read(), vocabulary)
          if (results === null) throw new Error('the results are gone.')
          return textBlob(resultsText(results), 'application/json')
        }}
      />
      <ExportLine
        hook="cite"
        name="cite.txt"
        size={utf8Length(cite)}
        contains="The papers of the shown methods and formats, and this program with its version."
        obstacle={obstacle}
        make={() => textBlob(cite, 'text/plain')}
      />
    </>
  )
}
