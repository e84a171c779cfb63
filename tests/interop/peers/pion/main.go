// pion, a stack in Go: peer MEDIA. What it understands is told in ../../peer.py.
//
// It has no codecs of its own. MEDIA is a file with the frames to send.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media"
)

type kind struct {
	capability webrtc.RTPCodecCapability
	period     time.Duration
}

var kinds = map[string]kind{
	"audio": {webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, 20 * time.Millisecond},
	"video": {webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, 66 * time.Millisecond},
}

var frames map[string][][]byte

type request struct {
	ID          int                        `json:"id"`
	Do          string                     `json:"do"`
	Kind        string                     `json:"kind"`
	Text        string                     `json:"text"`
	Restart     bool                       `json:"restart"`
	Policy      string                     `json:"policy"`
	Servers     []webrtc.ICEServer         `json:"servers"`
	Description *webrtc.SessionDescription `json:"description"`
}

type reply struct {
	ID    int         `json:"id"`
	Value interface{} `json:"value"`
	Error string      `json:"error,omitempty"`
}

// One connection and what belongs to it. The lock guards what pion's goroutines write.
type peer struct {
	pc       *webrtc.PeerConnection
	over     chan struct{}
	lock     sync.Mutex
	channel  *webrtc.DataChannel
	heard    []string
	received map[string][]int
	tracks   int
}

func newPeer(asked request) (*peer, error) {
	policy := webrtc.NewICETransportPolicy(asked.Policy)
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{ICEServers: asked.Servers, ICETransportPolicy: policy})
	if err != nil {
		return nil, err
	}
	made := &peer{pc: pc, over: make(chan struct{}), heard: []string{}, received: map[string][]int{"audio": {}, "video": {}}}
	pc.OnDataChannel(made.adopt)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { made.read(track) })
	return made, nil
}

func (p *peer) adopt(channel *webrtc.DataChannel) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.channel = channel
	channel.OnMessage(func(message webrtc.DataChannelMessage) {
		p.lock.Lock()
		defer p.lock.Unlock()
		p.heard = append(p.heard, string(message.Data))
	})
}

func (p *peer) read(track *webrtc.TrackRemote) {
	name := track.Kind().String()
	p.lock.Lock()
	number := len(p.received[name])
	p.received[name] = append(p.received[name], 0)
	p.lock.Unlock()
	for {
		if _, _, err := track.ReadRTP(); err != nil {
			return
		}
		p.lock.Lock()
		p.received[name][number]++
		p.lock.Unlock()
	}
}

// A track that sends the frames of a kind, again and again.
func (p *peer) track(name string) error {
	p.tracks++
	id := fmt.Sprintf("%s-%d", name, p.tracks)
	track, err := webrtc.NewTrackLocalStaticSample(kinds[name].capability, id, id)
	if err != nil {
		return err
	}
	sender, err := p.pc.AddTrack(track)
	if err != nil {
		return err
	}
	go func() {
		for { // what is not read, its interceptors don't see
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	go func() {
		period := kinds[name].period
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for number := 0; ; number++ {
			select {
			case <-p.over:
				return
			case <-ticker.C:
				_ = track.WriteSample(media.Sample{Data: frames[name][number%len(frames[name])], Duration: period})
			}
		}
	}()
	return nil
}

func (p *peer) described(made webrtc.SessionDescription, err error) (interface{}, error) {
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(made); err != nil {
		return nil, err
	}
	<-gathered
	return p.pc.LocalDescription(), nil
}

func (p *peer) look() interface{} {
	p.lock.Lock()
	defer p.lock.Unlock()
	told := map[string]interface{}{
		"connection": p.pc.ConnectionState().String(),
		"signaling":  p.pc.SignalingState().String(),
		"channel":    nil,
		"heard":      append([]string{}, p.heard...),
		"received":   map[string][]int{"audio": append([]int{}, p.received["audio"]...), "video": append([]int{}, p.received["video"]...)},
	}
	if p.channel != nil {
		told["channel"] = p.channel.ReadyState().String()
	}
	return told
}

func (p *peer) do(asked request) (interface{}, error) {
	switch asked.Do {
	case "channel":
		channel, err := p.pc.CreateDataChannel("chat", nil)
		if err == nil {
			p.adopt(channel)
		}
		return nil, err
	case "track":
		return nil, p.track(asked.Kind)
	case "offer":
		return p.described(p.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: asked.Restart}))
	case "answer":
		return p.described(p.pc.CreateAnswer(nil))
	case "apply":
		return nil, p.pc.SetRemoteDescription(*asked.Description)
	case "send":
		return nil, p.channel.SendText(asked.Text)
	case "look":
		return p.look(), nil
	case "close":
		close(p.over)
		return nil, p.pc.Close()
	}
	return nil, fmt.Errorf("there is no operation %q", asked.Do)
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(text, &frames)
	}
	if err != nil {
		panic(err)
	}
	var current *peer
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		answer := reply{ID: asked.ID}
		if asked.Do == "new" {
			if current != nil && current.pc.ConnectionState() != webrtc.PeerConnectionStateClosed {
				_, err = current.do(request{Do: "close"})
			}
			current, err = newPeer(asked)
		} else {
			answer.Value, err = current.do(asked)
		}
		if err != nil {
			answer.Error = err.Error()
		}
		written, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(written))
	}
}
