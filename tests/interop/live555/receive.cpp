// live555 as a receiver: writes each frame of the stream in a session description as 000000.jpg, 000001.jpg, ….
//
//     receive SESSION_DESCRIPTION FOLDER

#include <liveMedia.hh>
#include <BasicUsageEnvironment.hh>
#include <GroupsockHelper.hh>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

// More than the largest frame of the suite.
const unsigned buffer_octets = 8 << 20;
// Room for what the largest frame has in packets.
const unsigned receive_buffer_octets = 4 << 20;

// FileSink's own numbering goes by time, which a sender report sets anew.
class NumberedFiles : public FileSink {
public:
    NumberedFiles(UsageEnvironment& env, std::string folder)
        : FileSink(env, stdout, buffer_octets, nullptr), folder(folder) {}

    void addData(unsigned char const* data, unsigned size, struct timeval) override {
        char name[16];
        snprintf(name, sizeof name, "/%06u.jpg", number++);
        // Whole, or not there: somebody counts them meanwhile.
        std::string path = folder + name, part = path + ".part";
        std::ofstream(part, std::ios::binary).write(reinterpret_cast<char const*>(data), size);
        rename(part.c_str(), path.c_str());
    }

private:
    std::string folder;
    unsigned number = 0;
};

void source_closed(void*) {
    std::cerr << "the stream has ended\n";
}

char volatile is_over = 0;

void end(int) {
    is_over = 1;
}

}

int main(int, char** arguments) {
    signal(SIGINT, end);
    std::ifstream file(arguments[1]);
    std::string sdp(std::istreambuf_iterator<char>(file), {});
    TaskScheduler* scheduler = BasicTaskScheduler::createNew();
    UsageEnvironment* env = BasicUsageEnvironment::createNew(*scheduler);
    MediaSession* session = MediaSession::createNew(*env, sdp.c_str());
    MediaSubsession* stream = session ? MediaSubsessionIterator(*session).next() : nullptr;
    if (!stream || !stream->initiate()) {
        std::cerr << env->getResultMsg() << "\n";
        return 1;
    }
    increaseReceiveBufferTo(*env, stream->rtpSource()->RTPgs()->socketNum(), receive_buffer_octets);
    NumberedFiles files(*env, arguments[2]);
    files.startPlaying(*stream->readSource(), source_closed, nullptr);
    scheduler->doEventLoop(&is_over);
}
